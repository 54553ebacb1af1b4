import type { System } from "./system.ts";
import { until } from "./until.ts";

/**
 * Waits until every message is published and every group has handled everything: twice in a row, as one causes another.
 */
export async function settled(system: System): Promise<void> {
  let quiet = 0;
  let seen = "";
  await until(
    "everything is published and handled",
    async () => {
      const outbox = JSON.parse(await system.ops("outbox", "--json"));
      const { lags }: { lags: readonly { messages: number }[] } = JSON.parse(await system.ops("lag", "--json"));
      seen = JSON.stringify({ outbox, lags: lags.filter(({ messages }) => messages > 0) });
      quiet = outbox.waiting === 0 && lags.every(({ messages }) => messages === 0) ? quiet + 1 : 0;
      return quiet >= 2;
    },
    { timeoutMs: 60_000, everyMs: 100, describe: () => seen },
  );
}
