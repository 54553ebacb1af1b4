import type { LibrdKafkaError } from "@confluentinc/kafka-javascript";

/** Codes of librdkafka itself, which are negative. */
export const codes = { allBrokersDown: -187, fatal: -150, assignPartitions: -175, revokePartitions: -174 } as const;

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

/** The words of these codes. An event of the client carries no code: only the words are left, in small letters. */
const eventWords: Readonly<Record<string, number>> = {
  "all broker connections are down": codes.allBrokersDown,
  "fatal error": codes.fatal,
};

/** The code of an error that came as an event, or -1 where its words do not tell. */
export function eventCode({ message, code }: Pick<LibrdKafkaError, "message" | "code">): number {
  return eventWords[message] ?? code;
}

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
