import type { Admin, Broker, JoinOptions } from "../messages/broker.ts";
import type { BrokerCall } from "./call-needs.ts";
import type { CallSubject, Explain } from "./refused.ts";

/** The same broker, whose refusals say who may not do what, and what mends it; see `makeExplain`. */
export function sayRefusals(broker: Broker, explain: Explain): Broker {
  const explained = async <T>(call: BrokerCall, about: CallSubject, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, call, about);
    }
  };
  const { admin } = broker;
  const onTopic = (topic: string): CallSubject => ({ topics: [topic] });
  const onGroup = (group: string): CallSubject => ({ groups: [group] });
  const told: Admin = {
    topics: () => explained("topics", {}, admin.topics),
    groups: () => explained("groups", {}, admin.groups),
    createTopic: (topic) => explained("createTopic", onTopic(topic.name), () => admin.createTopic(topic)),
    alterConfigs: (topic, configs) =>
      explained("alterConfigs", onTopic(topic), () => admin.alterConfigs(topic, configs)),
    addPartitions: (topic, total) =>
      explained("addPartitions", onTopic(topic), () => admin.addPartitions(topic, total)),
    offsets: (topic, at) => explained("offsets", onTopic(topic), () => admin.offsets(topic, at)),
    topicId: (topic) => explained("topicId", onTopic(topic), () => admin.topicId(topic)),
    committed: (group) => explained("committed", onGroup(group), () => admin.committed(group)),
    setOffsets: (group, offsets) => {
      const about = { topics: offsets.map(({ topic }) => topic), groups: [group] };
      return explained("setOffsets", about, () => admin.setOffsets(group, offsets));
    },
    nextRecord: (at) => explained("nextRecord", onTopic(at.topic), () => admin.nextRecord(at)),
    read: (topic, at) => explained("read", onTopic(topic), () => admin.read(topic, at)),
    deleteTopic: (topic) => explained("deleteTopic", onTopic(topic), () => admin.deleteTopic(topic)),
    deleteGroup: (group) => explained("deleteGroup", onGroup(group), () => admin.deleteGroup(group)),
  };
  return {
    ...broker,
    admin: told,
    producer: async () => {
      const producer = await broker.producer();
      const send: typeof producer.send = (records) =>
        explained("send", { topics: records.map(({ topic }) => topic) }, () => producer.send(records));
      return { ...producer, send };
    },
    join: (options) => {
      const about = { topics: options.topics, groups: [options.group] };
      const onFailed: JoinOptions["onFailed"] = (error) => options.onFailed(asError(explain(error, "join", about)));
      return explained("join", about, () => broker.join({ ...options, onFailed }));
    },
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
