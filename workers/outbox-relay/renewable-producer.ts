import type { Producer } from "../../shared/messages/broker.ts";

type RenewableProducer = Producer & Readonly<{ renew: () => Promise<void> }>;

/**
 * A producer that can be replaced by a new one, which asks the broker anew about topics. Not to be renewed during a
 * send.
 */
export async function openRenewableProducer(open: () => Promise<Producer>): Promise<RenewableProducer> {
  let current = await open();
  return {
    send: (records) => current.send(records),
    renew: async () => {
      const next = await open();
      const last = current;
      current = next;
      await last[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: () => current[Symbol.asyncDispose](),
  };
}
