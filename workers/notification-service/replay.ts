// Run by `ops replay notification-service`: what this group would do with messages it had, all of it undone. Nothing is
// sent.
import { readConfig } from "../../shared/role/config.ts";
import { replayCommand } from "../../shared/consume/replay/replay-command.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { channelSettings } from "./channels/channel-settings.ts";
import { makeChannels } from "./channels/open-channels.ts";
import { makeWriteDeliveries } from "./plan/write-deliveries.ts";

await replayCommand("notification-service", ({ env, log, now }) => {
  const { operatorWays } = makeChannels(readConfig(channelSettings, env), { log, now, mail: null });
  const metrics = makeMetrics("notification-service", { process: false });
  return makeWriteDeliveries({ operatorWays, collapseMs: 10_000, onWritten: () => {}, metrics });
});
