import type { Consumer, RecordsBatch } from "@platformatic/kafka";

/** With so much in an answer there is more to be had at once, and no need to wait for it. */
const muchBytes = 64 << 10;

type FetchAnswer = Readonly<{
  responses: readonly Readonly<{
    partitions: readonly Readonly<{ records?: readonly Pick<RecordsBatch, "length">[] | null }>[];
  }>[];
}>;

/**
 * Holds a client's next fetch back for `ms` after one that brought little, so that what comes meanwhile comes together.
 * While nothing comes, fetches wait at the broker and the first record is had at once.
 */
export function gatherFetches(consumer: Consumer, ms: number): void {
  const ask = consumer.fetch.bind(consumer);
  type Options = Parameters<typeof ask>[0];
  type Response = Awaited<ReturnType<typeof ask>>;
  type Done = (error: Error | null, response: Response) => void;
  let heldUntil = 0;
  const note = (response: Response): Response => {
    const bytes = bytesOf(response);
    if (bytes > 0 && bytes < muchBytes) heldUntil = performance.now() + ms;
    return response;
  };
  const held = (send: () => void): void => {
    const waitMs = heldUntil - performance.now();
    if (waitMs > 0) setTimeout(send, waitMs);
    else send();
  };
  // The stream calls it with a callback, whose types do not say that an error comes without an answer.
  const withCallback = (options: Options, done: Done): void =>
    held(() =>
      ask(options, (error, response) =>
        done(error, error === null ? note(response as Response) : (response as Response)),
      ),
    );
  const fetchLater = (options: Options, done?: Done): Promise<Response> | void =>
    done === undefined ? ask(options).then(note) : withCallback(options, done);
  consumer.fetch = fetchLater as typeof consumer.fetch;
}

function bytesOf({ responses }: FetchAnswer): number {
  return responses
    .flatMap(({ partitions }) => partitions)
    .flatMap(({ records }) => records ?? [])
    .reduce((sum, { length }) => sum + length, 0);
}
