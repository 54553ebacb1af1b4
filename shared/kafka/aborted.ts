import type { Consumer, RecordsBatch } from "@platformatic/kafka";

/** Attribute bits of a batch: written in a transaction; holds transaction markers instead of records. */
const transactional = 1 << 4;
const control = 1 << 5;

type AbortedTransaction = Readonly<{ producerId: bigint; firstOffset: bigint }>;
/** One partition's part of an answer to a fetch. */
export type PartitionAnswer = {
  records?: RecordsBatch[] | null;
  abortedTransactions?: readonly AbortedTransaction[] | null;
};

/**
 * Empties the batches of aborted transactions, and leaves every batch in its place, so that offsets still move past
 * them. The broker answers with the transactions that were aborted, sorted here by their first offset; each ends at its
 * producer's abort marker, or beyond this answer.
 */
export function emptyAborted(answer: PartitionAnswer): void {
  const begun = [...(answer.abortedTransactions ?? [])].toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  const open = new Set<bigint>();
  for (const batch of answer.records ?? []) {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    for (let next = begun[0]; next !== undefined && next.firstOffset <= last; next = begun[0]) {
      open.add(next.producerId);
      begun.shift();
    }
    if (isControl(batch)) {
      if (isAbortMarker(batch)) open.delete(batch.producerId);
      batch.records = [];
    } else if ((batch.attributes & transactional) !== 0 && open.has(batch.producerId)) batch.records = [];
  }
}

export function isControl(batch: Pick<RecordsBatch, "attributes">): boolean {
  return (batch.attributes & control) !== 0;
}

/** A marker's key is two int16: a version, and 0 for abort or 1 for commit. */
function isAbortMarker({ records }: RecordsBatch): boolean {
  const key = records[0]?.key;
  return key !== null && key !== undefined && key.length >= 4 && key.readInt16BE(2) === 0;
}

/**
 * Lets a client read committed records only. Its own filter knows one aborted transaction per producer and answer, and
 * none whose marker is beyond the answer; what it leaves is emptied here, before its stream sees it.
 */
export function readCommitted(consumer: Consumer): void {
  const ask = consumer.fetch.bind(consumer);
  type Options = Parameters<typeof ask>[0];
  type Response = Awaited<ReturnType<typeof ask>>;
  type Done = (error: Error | null, response: Response) => void;
  const clean = (response: Response) => {
    for (const { partitions } of response.responses) for (const answer of partitions) emptyAborted(answer);
    return response;
  };
  // The stream calls it with a callback, whose types do not say that an error comes without an answer.
  const withCallback = (options: Options, done: Done) =>
    ask(options, (error, response) =>
      done(error, error === null ? clean(response as Response) : (response as Response)),
    );
  const fetchClean = (options: Options, done?: Done): Promise<Response> | void =>
    done === undefined ? ask(options).then(clean) : withCallback(options, done);
  consumer.fetch = fetchClean as typeof consumer.fetch;
}
