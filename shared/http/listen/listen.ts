import { listenWithBun } from "./listen-bun.ts";
import type { Listen } from "./listener.ts";

let chosen: Listen | null = null;

/**
 * Replaces how this process listens: a runtime that listens by itself hands requests over. Call it before a role is
 * started.
 */
export function useListen(listen: Listen): void {
  chosen = listen;
}

export const listen: Listen = (options) => (chosen ?? listenHere)(options);

/** Listens as this runtime does it best. */
export const listenHere: Listen = async (options) => {
  if (typeof Bun !== "undefined") return listenWithBun(options);
  // Loaded where they are used: the one has Deno's types, the other loads Node's HTTP server.
  if ("Deno" in globalThis) return (await import("./listen-deno.ts")).listenWithDeno(options);
  return await (await import("./listen-node.ts")).listenWithNode(options);
};
