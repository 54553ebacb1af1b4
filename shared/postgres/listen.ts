import postgres from "postgres";
import type { Sql } from "./sql.ts";
import { boundStatement } from "./deadline.ts";
import type { Log } from "../role/log.ts";
import { orAborted, settlesWithin, sleep } from "../waiting/wait.ts";
import { connectionOptions } from "./connection-options.ts";

export type PostgresListener = AsyncDisposable & Readonly<{ isListening: () => boolean }>;

type OpenListener = Readonly<{
  url: string;
  role: string;
  channel: string;
  onNotify: (payload: string) => void;
  log: Log;
  /** Where the self-test is sent from: the way the writers' notifications come. */
  send: Sql;
}>;

const testPrefix = "listen-self-test:";
const checkEveryMs = 15_000;
const answerWithinMs = 5000;

/**
 * LISTEN on a connection of its own for as long as it is not disposed: after a loss it connects again within half a
 * second, and a notification of its own, every 15 s and after each connect, shows a connection that is only apparently
 * there.
 */
export async function openListener(of: OpenListener): Promise<PostgresListener> {
  const stop = new AbortController();
  let listening = false;
  const first = Promise.withResolvers<void>();

  let failures = 0;
  const session = async (): Promise<void> => {
    const lost = new AbortController();
    const over = AbortSignal.any([lost.signal, stop.signal]);
    const test = `${testPrefix}${crypto.randomUUID()}`;
    let heard = Promise.withResolvers<void>();
    const options = {
      ...connectionOptions({ role: `${of.role}-listen`, max: 1, statementMs: answerWithinMs }),
      fetch_types: false,
      max_lifetime: null,
      keep_alive: 10,
      onclose: () => lost.abort(),
      onnotify: (_channel: string, payload: string) => {
        if (payload === test) heard.resolve();
        else if (!payload.startsWith(testPrefix)) of.onNotify(payload);
      },
    };
    const client = postgres(of.url, options);
    try {
      await boundStatement(client.unsafe(`listen "${of.channel.replaceAll('"', '""')}"`), answerWithinMs);
      while (!over.aborted) {
        heard = Promise.withResolvers<void>();
        await of.send`select pg_notify(${of.channel}, ${test})`;
        if (!(await settlesWithin(answerWithinMs, orAborted(heard.promise, over))))
          throw new Error(
            `no notification comes through on ${of.channel}: LISTEN needs a direct connection (DATABASE_DIRECT_URL)`,
          );
        if (over.aborted) return;
        if (!listening) of.onNotify("");
        listening = true;
        failures = 0;
        first.resolve();
        await sleep(checkEveryMs, over);
      }
    } finally {
      listening = false;
      await client.end({ timeout: 0 });
    }
  };

  const running = (async () => {
    while (!stop.signal.aborted) {
      try {
        await session();
      } catch (error) {
        // The first of an outage and about two a minute of it: three a second made 18,000 lines in two hours.
        if (failures++ % 100 === 0) of.log.warn("listen_failed", { channel: of.channel, failures, error });
        first.reject(error);
      }
      await sleep(200 + Math.random() * 300, stop.signal);
    }
  })();
  const listener: PostgresListener = {
    isListening: () => listening,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
  try {
    await first.promise;
  } catch (error) {
    await listener[Symbol.asyncDispose]();
    throw error;
  }
  return listener;
}
