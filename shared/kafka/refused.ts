import type { Acl } from "./acls.ts";
import { callNeeds, type BrokerCall } from "./call-needs.ts";
import { hasProtocolError } from "./kafka-error.ts";
import type { Naming } from "./naming.ts";

/** What a call was about, by the product's names. */
export type CallSubject = Readonly<{ topics?: readonly string[]; groups?: readonly string[] }>;

/** Gives a broker's refusal words; any other failure stays what it is. */
export type Explain = (error: unknown, call: BrokerCall, about: CallSubject) => unknown;

/**
 * Kafka's answer to who may not do something is "Topic authorization failed.", without who, what and on which. The
 * error returned says that, as `ops acls plan` names it, with the answer as its cause, so that it counts as the outage
 * it is.
 */
export function makeExplain(username: string | null, naming: Naming): Explain {
  const who = username === null ? "the broker does not let this client" : `the broker does not let User:${username}`;
  return (error, call, about) => {
    const needs = callNeeds[call];
    const topics = about.topics?.map(naming.physical) ?? [];
    const groups = about.groups?.map(naming.physical) ?? [];
    // For an idempotent producer the broker says CLUSTER where it may write to no topic at all.
    const missing =
      hasProtocolError(error, "TOPIC_AUTHORIZATION_FAILED") || (call === "send" && isOfCluster(error))
        ? wordsFor(needs.topic, "topic", topics)
        : hasProtocolError(error, "GROUP_AUTHORIZATION_FAILED")
          ? wordsFor(needs.group, "group", groups)
          : null;
    if (missing === null) return error;
    const advice = "`ops acls plan` shows what it lacks there, `ops acls apply` mends it";
    return new Error(`${who} do this, it needs ${missing}: ${advice}`, { cause: error });
  };
}

function isOfCluster(error: unknown): boolean {
  return hasProtocolError(error, "CLUSTER_AUTHORIZATION_FAILED");
}

function wordsFor(operations: readonly Acl["operation"][] = [], kind: string, names: readonly string[]): string {
  return `${operations.join(" and ")} on ${kind} ${[...new Set(names)].join(" or ") || "(any of its own)"}`;
}
