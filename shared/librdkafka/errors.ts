import type { LibrdKafkaError } from "@confluentinc/kafka-javascript";

/** Codes of librdkafka itself, which are negative. */
export const codes = { fatal: -150, assignPartitions: -175, revokePartitions: -174 } as const;

/**
 * The protocol's codes that something is made of, by the protocol's names, which the first driver's errors carry too.
 */
const protocolNames: Readonly<Record<number, string>> = {
  10: "MESSAGE_TOO_LARGE",
  18: "RECORD_LIST_TOO_LARGE",
  29: "TOPIC_AUTHORIZATION_FAILED",
  30: "GROUP_AUTHORIZATION_FAILED",
  31: "CLUSTER_AUTHORIZATION_FAILED",
  87: "INVALID_RECORD",
};

/** What the client gives to callbacks is no Error everywhere. */
export function toError({ message, code }: Pick<LibrdKafkaError, "message" | "code">): Error {
  const apiId = protocolNames[code];
  return Object.assign(new Error(message), { code, ...(apiId === undefined ? {} : { apiId }) });
}

/** Turns one of the client's calls with a callback into a promise. */
export function called<T>(
  call: (done: (error: LibrdKafkaError | null | undefined, value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) =>
    call((error, value) => (error === null || error === undefined ? resolve(value) : reject(toError(error)))),
  );
}
