import postgres from "postgres";
import { boundStatement } from "./deadline.ts";
import type { Log } from "../role/log.ts";
import { connectionOptions, type Pooler } from "./connection-options.ts";
import { pause } from "../waiting/wait.ts";

/** Wakes whoever listens. `notify` never waits and never fails: a notification is a hint, and its readers poll too. */
export type Notifier = AsyncDisposable & Readonly<{ notify: () => void }>;

const everyMs = 5;

/**
 * Sends NOTIFY at once, then at most once per 5 ms while there is more to tell, one at a time, on its own connection:
 * inside the writing transaction it would serialise all commits (3 to 5 times fewer writes).
 */
export function makeNotifier(
  of: Readonly<{ url: string; role: string; channel: string; log: Log; pooler: Pooler }>,
): Notifier {
  const client = postgres(of.url, {
    ...connectionOptions({ role: `${of.role}-notify`, max: 1, statementMs: 1000, pooler: of.pooler }),
    fetch_types: false,
  });
  let resting = false;
  let again = false;
  let closed = false;
  const send = async (): Promise<void> => {
    resting = true;
    do {
      again = false;
      try {
        await boundStatement(client`select pg_notify(${of.channel}, '')`, 2000);
      } catch (error) {
        if (!closed) of.log.debug("notify_failed", { channel: of.channel, error });
      }
      await pause(everyMs);
    } while (again && !closed);
    resting = false;
  };
  return {
    notify: () => {
      if (closed) return;
      if (resting) again = true;
      else void send();
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      await client.end({ timeout: 1 });
    },
  };
}
