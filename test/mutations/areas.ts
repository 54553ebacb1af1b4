import { broadcaster } from "./broadcaster.ts";
import { gateway } from "./gateway.ts";
import { kernel } from "./kernel.ts";
import type { Area } from "./mutation.ts";
import { relay } from "./relay.ts";
import { timers } from "./timers.ts";
import { zones } from "./zones.ts";

/** Every mutation, by the part of the product it breaks. */
export const areas: readonly Area[] = [kernel, relay, timers, broadcaster, gateway, zones];
