// A process that sends one POST after another on each of its connections and prints what came back, as JSON.
// Bare sockets: `fetch` costs as much CPU as the server it would measure, and stops at 256 connections.
import { percentile } from "./bench.ts";

export type Load = Readonly<{
  host: string;
  port: number;
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  connections: number;
  warmSeconds: number;
  seconds: number;
  /** Sends each request with an Idempotency-Key of its own. */
  keys: boolean;
}>;

export type LoadResult = Readonly<{
  perSecond: number;
  p50: number;
  p99: number;
  failures: number;
  failure: string | null;
}>;

/** Runs a load in a process of its own. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const child = Bun.spawn([process.execPath, import.meta.path, JSON.stringify(load)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`the load ended with ${child.exitCode}`);
  return JSON.parse(text);
}

if (import.meta.main) {
  const load: Load = JSON.parse(process.argv[2] ?? "");
  process.stdout.write(JSON.stringify(await send(load)));
  process.exit(0);
}

async function send(load: Load): Promise<LoadResult> {
  const from = performance.now() + load.warmSeconds * 1000;
  const until = from + load.seconds * 1000;
  const times: number[] = [];
  let failures = 0;
  let failure: string | null = null;
  let number = 0;
  const run = crypto.randomUUID();
  const head =
    `POST ${load.path} HTTP/1.1\r\nhost: ${load.host}:${load.port}\r\ncontent-type: application/json\r\n` +
    Object.entries(load.headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("") +
    `content-length: ${Buffer.byteLength(load.body)}\r\n`;
  const request = () => `${head}${load.keys ? `idempotency-key: ${run}-${(number += 1)}\r\n` : ""}\r\n${load.body}`;

  const open = async (): Promise<void> => {
    const { promise: over, resolve: end, reject: fail } = Promise.withResolvers<void>();
    let started = 0;
    let received = "";
    const next = (socket: Bun.Socket): void => {
      started = performance.now();
      if (started >= until) {
        socket.end();
        end();
      } else socket.write(request());
    };
    await Bun.connect({
      hostname: load.host,
      port: load.port,
      socket: {
        open: next,
        data: (socket, bytes) => {
          received += bytes.toString("latin1");
          const headEnd = received.indexOf("\r\n\r\n");
          if (headEnd < 0) return;
          const length = Number(/\r\ncontent-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1]);
          if (received.length < headEnd + 4 + length) return;
          const now = performance.now();
          if (!received.startsWith("HTTP/1.1 201")) {
            failures += 1;
            failure ??= received.slice(0, 500);
          } else if (started >= from && now < until) times.push(now - started);
          received = "";
          next(socket);
        },
        error: (_socket, error) => fail(error),
        close: () => (performance.now() < until ? fail(new Error("the server closed a connection")) : end()),
      },
    });
    await over;
  };
  await Promise.all(Array.from({ length: load.connections }, open));
  return {
    perSecond: times.length / load.seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    failures,
    failure,
  };
}
