import type { DeliveryReport, LibrdKafkaError, Producer as Client } from "@confluentinc/kafka-javascript";
import type { OutgoingRecord, Producer, SendError } from "../messages/broker.ts";
import type { Naming } from "../kafka/naming.ts";
import { judgeSendFailure } from "../kafka/send-failures.ts";
import { within } from "../kafka/within.ts";
import type { Log } from "../role/log.ts";
import { called, codes, eventCode, toError } from "./errors.ts";
import type { RdKafka } from "./load.ts";
import type { RdKafkaOptions } from "./settings.ts";
import type { TellStatistics } from "./statistics.ts";

/** How long a record is tried before its send rejects. A broker may be restarted meanwhile. */
const deliveryMs = 20_000;
const connectMs = 5_000;

/** A call of `send`: how many of its records have no answer yet, and the answer that says most about them so far. */
type PendingSend = { open: number; error: Error | null; done: () => void };

/**
 * One producer: idempotent, acks=all, zstd, partitioned as the Java client does (murmur2). Once connected, librdkafka
 * reconnects by itself and answers for every record within `patienceMs`. A client with a fatal error takes no record
 * any more: the next send has a new one.
 */
export async function openProducer(
  { Producer: ProducerClient }: RdKafka,
  base: RdKafkaOptions,
  naming: Naming,
  log: Log,
  tellStatistics: TellStatistics,
  patienceMs: number = deliveryMs,
): Promise<Producer> {
  let current: Promise<Client> | null = null;
  const open = async () => {
    const client = new ProducerClient({
      ...base,
      "enable.idempotence": true,
      "compression.codec": "zstd",
      partitioner: "murmur2_random",
      "delivery.timeout.ms": patienceMs,
      "linger.ms": 0,
      // A topic that is not there is waited for no longer than this.
      "topic.metadata.propagation.max.ms": Math.min(patienceMs, 5_000),
      // Only the topic's broker knows what is too large for it: nothing is kept from it.
      "message.max.bytes": 100 << 20,
      // Two sends may share a batch, and a batch is refused for its size as a whole: what senders keep to must fit
      // several times.
      "batch.size": 256 << 10,
      dr_cb: true,
    });
    client.on("event.error", (error) => {
      log.warn("kafka_producer_error", { error: error.message, code: eventCode(error) });
      if (eventCode(error) === codes.fatal) forget(client);
    });
    client.on("event.stats", tellStatistics);
    client.on("delivery-report", (error: LibrdKafkaError | null, report: DeliveryReport) => {
      // The callback gives back what `produce` was given.
      const sending = report.opaque as PendingSend;
      if (error) note(sending, toError(error));
      if (error?.code === codes.fatal) forget(client);
      if (--sending.open === 0) sending.done();
    });
    await connect(client);
    client.setPollInBackground(true);
    return client;
  };
  const connected = (): Promise<Client> => {
    const opening = (current ??= open());
    opening.catch(() => {
      if (current === opening) current = null;
    });
    return opening;
  };
  const forget = (client: Client) => {
    const was = current;
    void was?.then((one) => {
      if (one !== client) return;
      if (current === was) current = null;
      void close(client);
    });
  };

  const attempt = async (records: readonly OutgoingRecord[]): Promise<Error | null> => {
    const client = await connected();
    const { promise, resolve } = Promise.withResolvers<void>();
    // One more than the records, so that answers which come at once do not end it before all are given.
    const sending: PendingSend = { open: 1, error: null, done: resolve };
    try {
      for (const { topic, timestamp, key, value, headers } of records) {
        client.produce(
          naming.physical(topic),
          null,
          value === null ? null : buffer(value),
          key === null ? null : Buffer.from(key),
          Math.floor(timestamp),
          sending,
          headers.map(([name, content]) => ({ [name]: buffer(content) })),
        );
        sending.open += 1;
      }
    } catch (error) {
      // It throws what it says in other places, and has then not taken the record.
      const thrown = error as LibrdKafkaError;
      if (thrown.code === codes.fatal) forget(client);
      note(sending, toError(thrown));
    }
    if (--sending.open > 0) await promise;
    return sending.error;
  };
  const company = makeCompany();
  return {
    send: async (records) => {
      if (records.length === 0) return;
      let error: unknown;
      try {
        const met = await company.among(() => attempt(records));
        const isBlamed = met.value !== null && judgeSendFailure(met.value) === "refused";
        // What shared a batch with others may be refused for theirs.
        error = isBlamed && met.hadOthers ? await company.alone(() => attempt(records)) : met.value;
      } catch (cause) {
        error = cause;
      }
      if (error !== null) throw sendError(error);
    },
    [Symbol.asyncDispose]: async () => {
      const client = await current?.catch(() => null);
      if (client) await close(client);
    },
  };
}

/**
 * Rejects with the reason why no broker was reached where the client knows one, such as a password that is not taken:
 * its own answer is that it was not connected in time. It tells the reason by an event, and events come by polling.
 */
async function connect(client: Client): Promise<void> {
  let reason: Error | null = null;
  const note = (error: LibrdKafkaError): void => {
    // That all brokers are down follows the reason and says less.
    if (eventCode(error) !== codes.allBrokersDown) reason = toError(error);
  };
  client.on("event.error", note);
  const polling = setInterval(() => client.isConnected() && client.poll(), 100);
  try {
    await called((done) => client.connect({ timeout: connectMs }, done));
  } catch (error) {
    throw reason === null ? error : Object.assign(reason, { cause: error });
  } finally {
    clearInterval(polling);
    client.off("event.error", note);
  }
}

const close = (client: Client) =>
  within(
    5_000,
    called((done) => client.disconnect(2_000, done)),
  );

/** An answer about the record itself says more than that another was not reached. */
function note(sending: PendingSend, error: Error): void {
  if (sending.error === null || judgeSendFailure(error) === "refused") sending.error = error;
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sendError(cause: unknown): SendError {
  const failure = judgeSendFailure(cause);
  return Object.assign(new Error(`the broker did not take the records (${failure})`, { cause }), { failure });
}

/**
 * Work that runs side by side and is told whether it had others beside it, and work that runs when nothing else does.
 */
function makeCompany() {
  let others = 0;
  /** Rises with every piece of work that begins. */
  let begun = 0;
  const quiet: (() => void)[] = [];
  let closed: Promise<unknown> = Promise.resolve();
  const leave = () => {
    if (--others > 0) return;
    for (const go of quiet.splice(0)) go();
  };
  return {
    among: async <T>(work: () => Promise<T>): Promise<Readonly<{ value: T; hadOthers: boolean }>> => {
      await closed;
      const alreadyThere = others++ > 0;
      const mine = ++begun;
      try {
        const value = await work();
        return { value, hadOthers: alreadyThere || begun !== mine };
      } finally {
        leave();
      }
    },
    alone: <T>(work: () => Promise<T>): Promise<T> => {
      const turn = closed.then(async () => {
        while (others > 0) await new Promise<void>((resolve) => quiet.push(resolve));
        return work();
      });
      closed = turn.catch(() => {});
      return turn;
    },
  };
}
