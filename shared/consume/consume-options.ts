import type { Headers } from "../messages/message.ts";
import type { Broker } from "../messages/broker.ts";
import type { GroupName, TopicName } from "../messages/topics.ts";
import type { Encoder } from "../outbox/outbox.ts";
import type { Db } from "../postgres/db.ts";
import type { Flood } from "./failure/flood-guard.ts";
import type { Decoder } from "./handle-batch.ts";
import type { BatchHandler, Handler } from "./handler.ts";
import type { Timing } from "./member/session.ts";

export type ConsumeOptions = Readonly<{
  broker: Pick<Broker, "join" | "admin">;
  /** Its pool needs `consumerConnections` for this consumer alone. */
  db: Pick<Db, "sql" | "transaction" | "notifier"> & Partial<Pick<Db, "listen">>;
  codec: Encoder & Decoder;
  topics: readonly TopicName[];
  group: GroupName;
  /**
   * Whether a record can concern the group, decided from its headers; by default what `groupsPassingOverPlain` says.
   * Any other record is settled without decoding, transaction or inbox row: leave out only what can never change
   * anything.
   */
  concerns?: (headers: Headers) => boolean;
  /**
   * How many batches may run side by side; 8 by default. Each batch is one transaction, about 3 ms of CPU however many
   * messages share it: fewer lanes mean larger batches and less CPU, more lanes less waiting. A slow message holds up
   * the keys of its lane.
   */
  lanes?: number;
  /** How long one batch's handlers may take; 30 s by default. */
  handlerMs?: number;
  /**
   * How long a message that keeps failing waits for each further try, its key's later messages behind it: 5 s, 30 s, 2
   * min, 10 min, 1 h by default, each with full jitter. After the last it becomes a dead letter; with none, at once.
   */
  tiersMs?: readonly number[];
  /** When many keys that fail alike count as a flood: see `makeFloodGuard`. */
  flood?: Flood;
  /** For tests that cannot wait. */
  timing?: Partial<Timing>;
}> &
  (Readonly<{ handle: Handler }> | Readonly<{ handleBatch: BatchHandler }>);
