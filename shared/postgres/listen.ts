import postgres from "postgres";
import type { Sql } from "./db.ts";
import { boundStatement } from "./deadline.ts";
import type { Log } from "../log.ts";
import { connectionOptions } from "./connection-options.ts";

export type Listener = AsyncDisposable & Readonly<{ isListening: () => boolean }>;

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
 * LISTEN on a connection of its own for as long as it is not disposed: after a loss it connects again within half a second,
 * and a notification of its own, every 15 s and after each connect, shows a connection that is only apparently there.
 */
export async function openListener(of: OpenListener): Promise<Listener> {
  const stop = new AbortController();
  let listening = false;
  const first = Promise.withResolvers<void>();

  const session = async (): Promise<void> => {
    const lost = Promise.withResolvers<void>();
    const test = `${testPrefix}${crypto.randomUUID()}`;
    let heard = Promise.withResolvers<void>();
    const options = {
      ...connectionOptions({ role: `${of.role}-listen`, max: 1, statementMs: answerWithinMs }),
      fetch_types: false,
      max_lifetime: null,
      keep_alive: 10,
      onclose: () => lost.resolve(),
      onnotify: (_channel: string, payload: string) => {
        if (payload === test) heard.resolve();
        else if (!payload.startsWith(testPrefix)) of.onNotify(payload);
      },
    };
    const client = postgres(of.url, options);
    const ended = Promise.race([lost.promise, aborted(stop.signal)]);
    try {
      await boundStatement(client.unsafe(`listen "${of.channel.replaceAll('"', '""')}"`), answerWithinMs);
      while (!stop.signal.aborted) {
        heard = Promise.withResolvers<void>();
        await of.send`select pg_notify(${of.channel}, ${test})`;
        if (!(await settles(Promise.race([heard.promise, ended]), answerWithinMs)))
          throw new Error(
            `no notification comes through on ${of.channel}: LISTEN needs a direct connection (DATABASE_DIRECT_URL)`,
          );
        if (!listening && !stop.signal.aborted) of.onNotify("");
        listening = true;
        first.resolve();
        if (await settles(ended, checkEveryMs)) return;
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
        of.log.warn("listen_failed", { channel: of.channel, error });
        first.reject(error);
      }
      await settles(aborted(stop.signal), 200 + Math.random() * 300);
    }
  })();
  const listener: Listener = {
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

function aborted(signal: AbortSignal): Promise<void> {
  return signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** Whether the promise resolves within the time. */
async function settles(promise: Promise<void>, withinMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), withinMs)));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
