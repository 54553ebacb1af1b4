/**
 * A place in a user's stream of changes: everything up to and including `offset` of one partition of task-updates has
 * been seen; -1 is before the first. `epoch` is the stream epoch: it changes when offsets mean nothing any more, as
 * when the topic is made anew, gets partitions, or the database went back in time.
 */
type StreamCursor = Readonly<{ epoch: string; partition: number; offset: bigint }>;

/** `<epoch>.<partition>.<offset>`, the id of a server-sent event. */
export function formatStreamCursor({ epoch, partition, offset }: StreamCursor): string {
  return `${epoch}.${partition}.${offset}`;
}

/** The cursor in a text, `null` where it is none. Epochs have no dots. */
export function parseStreamCursor(text: string): StreamCursor | null {
  const [, epoch, partition, offset] = /^([\w-]{1,64})\.(\d{1,5})\.(-1|\d{1,18})$/.exec(text) ?? [];
  if (epoch === undefined || partition === undefined || offset === undefined) return null;
  return { epoch, partition: Number(partition), offset: BigInt(offset) };
}
