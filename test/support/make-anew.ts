import type { Admin } from "../../shared/messages/broker.ts";
import type { TopicName } from "../../shared/messages/topics.ts";
import { until } from "./until.ts";

/**
 * What somebody else's tool does: deletes the topic and makes one of the same name, which the broker knows once this
 * has resolved.
 */
export async function makeAnew(
  admin: Pick<Admin, "createTopic" | "deleteTopic" | "topicId">,
  name: TopicName,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const before = await admin.topicId(name);
  await admin.deleteTopic(name);
  // The broker applies what the controller has decided a moment later: until then the old topic is there, and nothing
  // is made.
  const isAnother = async () => {
    await admin.createTopic({ name, partitions: 1, configs });
    return (await admin.topicId(name)) !== before;
  };
  await until("it is there again", () => isAnother().catch(() => false), { timeoutMs: 30_000 });
}
