import { z } from "@hono/zod-openapi";
import type { Broker, FetchedRecord, TailAnswer } from "../../../shared/messages/broker.ts";
import type { Codec } from "../../../shared/avro/codec.ts";
import { sleep } from "../../../shared/waiting/wait.ts";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { wholeNumber } from "../../../shared/http/whole-number.ts";
import { Problem } from "../../../shared/problem.ts";
import { deadLetterTopics, topicNames } from "../../../shared/messages/topics.ts";
import { headerText } from "../read-dead-letters.ts";
import { readValue } from "../read-value.ts";
import { toJson } from "../to-json.ts";
import type { Jobs } from "./jobs.ts";
import { parse } from "./read-request.ts";

const names: readonly string[] = [...topicNames, ...deadLetterTopics];
const lastOf = z.strictObject({ last: wholeNumber({ min: 0, max: 100, fallback: 5 }) });
const heartbeatMs = 10_000;
const slowMs = 50;

export type TailDeps = Readonly<{ broker: Broker; codec: () => Promise<Codec>; jobs: Jobs }>;

/** `/api/topics/:topic/tail`, a stream of server-sent events with each record decoded. */
export function addTailRoutes(app: HttpApp, { broker, codec, jobs }: TailDeps): void {
  app.get("/api/topics/:topic/tail", async (c) => {
    const topic = c.req.param("topic");
    if (!names.includes(topic)) throw new Problem("NOT_FOUND", `there is no topic "${topic}"`);
    const { last } = parse(lastOf, c.req.query(), "query");
    const from = await newest(broker, topic, last);
    const left = new AbortController();
    const signal = AbortSignal.any([c.req.raw.signal, jobs.signal, left.signal]);
    const show = async (record: FetchedRecord) => toJson(await shown(record, codec));
    const stream = events(broker.tail({ topic, from, signal }), show, { signal, leave: () => left.abort() });
    return new Response(stream, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
    });
  });
}

/** Where the last `count` records of each partition begin. */
async function newest({ admin }: Broker, topic: string, count: number): Promise<ReadonlyMap<number, bigint>> {
  const start = await admin.offsets(topic, "start");
  const end = await admin.offsets(topic, "end");
  return new Map(
    [...end].map(([partition, offset]) => {
      const first = start.get(partition) ?? 0n;
      const wanted = offset - BigInt(count);
      return [partition, wanted > first ? wanted : first];
    }),
  );
}

async function shown(record: FetchedRecord, codec: TailDeps["codec"]) {
  const { topic, partition, offset, key, value } = record;
  const of = headerText(record, "x-original-topic") ?? topic;
  return {
    topic,
    partition,
    offset,
    time: new Date(record.timestamp).toISOString(),
    key,
    type: headerText(record, "ce_type"),
    id: headerText(record, "ce_id"),
    ...(await readValue({ topic: of, contentType: headerText(record, "content-type"), value }, codec)),
  };
}

function events(
  answers: AsyncIterable<TailAnswer>,
  show: (record: FetchedRecord) => Promise<string>,
  { signal, leave }: Readonly<{ signal: AbortSignal; leave: () => void }>,
): ReadableStream<Uint8Array> {
  const text = new TextEncoder();
  return new ReadableStream(
    {
      start: (out) => {
        const send = (line: string) => {
          if (!signal.aborted) out.enqueue(text.encode(line));
        };
        // The first bytes open the stream for the client; later ones keep proxies from taking it for dead.
        send(": tailing\n\n");
        const beat = setInterval(() => send(": still here\n\n"), heartbeatMs);
        const pump = async () => {
          try {
            for await (const { records } of answers)
              for (const record of records) {
                send(`data: ${await show(record)}\n\n`);
                // A client that does not keep up holds the reading up, not this process's memory.
                while ((out.desiredSize ?? 0) <= 0 && !signal.aborted) await sleep(slowMs, signal);
              }
          } catch (error) {
            send(`event: failed\ndata: ${JSON.stringify(error instanceof Error ? error.message : String(error))}\n\n`);
          } finally {
            clearInterval(beat);
            try {
              out.close();
            } catch {
              // The client has gone and taken the stream along.
            }
          }
        };
        // Not awaited: until `start` settles, a stream that is left is not told so.
        void pump();
      },
      cancel: leave,
    },
    // Chunks on their way to the client before the reading waits for it.
    { highWaterMark: 256 },
  );
}
