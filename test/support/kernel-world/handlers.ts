import type { BatchHandler, Handler } from "../../../shared/consume/handler.ts";
import type { ReceivedMessage } from "../../../shared/messages/message.ts";
import type { Db, Tx } from "../../../shared/postgres/db.ts";
import { group } from "../consumer-world.ts";
import { nameOf, type Failing } from "./failing.ts";

/** Rows that messages change besides their own effects: each changes two of them, by its number. */
const sharedRows = 3;

/**
 * The tables that handlers write, in a database of `openConsumerDb`; and what keys were parked for, for as long as the
 * run lasts.
 */
export async function makeHandlerTables({ sql }: Pick<Db, "sql">): Promise<void> {
  await sql`alter table effects add column if not exists epoch int, add column if not exists topic text`;
  await sql`create table if not exists shared_rows (id int primary key, n int not null)`;
  await sql`delete from shared_rows`;
  await sql`insert into shared_rows select id, 0 from generate_series(0, ${sharedRows - 1}) as id`;
  await sql`create table if not exists parked_for (error text)`;
  await sql`delete from parked_for`;
  await sql`
    create or replace function note_parked() returns trigger language plpgsql as $$
      begin insert into parked_for values (new.error); return null; end $$`;
  await sql`
    create or replace trigger note_parked after insert or update on parked_keys for each row execute function note_parked()`;
}

/**
 * Handlers of one member. Every second member has one for batches. Messages that are `crossed` change two shared rows:
 * members lock them in opposite order, so that Postgres ends some of their transactions as deadlocks.
 */
export function makeHandlers(
  of: Readonly<{ random: () => number; failing: Failing; crossed: ReadonlySet<string> }>,
  member: Readonly<{ name: string; number: number }>,
): Readonly<{ handle: Handler }> | Readonly<{ handleBatch: BatchHandler }> {
  const { random, failing, crossed } = of;
  const all = async (messages: readonly ReceivedMessage[], tx: Tx) => {
    await writeEffects(tx, messages, member.name);
    if (random() < 0.1) await Bun.sleep(random() * 5); // slow handlers overlap with rebalances
    for (const message of messages) {
      const failure = failing.handling(nameOf({ ...message, n: message.sequence }));
      if (failure !== undefined) throw failure;
    }
    const both = messages.filter((message) => crossed.has(nameOf({ ...message, n: message.sequence })));
    await changeSharedRows(tx, both, member.number % 2 === 0 ? "forwards" : "backwards");
    return messages.map(() => []);
  };
  if (member.number % 4 > 1) return { handleBatch: (messages, { tx }) => all(messages, tx) };
  return {
    handle: async (message, { tx }) => {
      await all([message], tx);
      return [];
    },
  };
}

async function writeEffects(tx: Tx, messages: readonly ReceivedMessage[], member: string): Promise<void> {
  await tx`
    insert into effects (id, topic, key, n, member, epoch)
    select message.id, message.topic, message.key, message.n, ${member}, epoch
    from unnest(${messages.map(({ id }) => id)}::uuid[], ${messages.map(({ topic }) => topic)}::text[],
      ${messages.map(({ key }) => key)}::text[], ${messages.map(({ sequence }) => sequence)}::int[])
      with ordinality as message(id, topic, key, n, line), consumer_groups
    where name = ${group} order by line`;
}

async function changeSharedRows(
  tx: Tx,
  messages: readonly ReceivedMessage[],
  way: "forwards" | "backwards",
): Promise<void> {
  if (messages.length === 0) return;
  // Where the user of the database may say so: a second, as Postgres has it, is long for a test.
  await tx`
    select set_config('deadlock_timeout', '5ms', true)
    where has_parameter_privilege(current_user, 'deadlock_timeout', 'SET')`;
  for (const { sequence } of messages) {
    const rows = [sequence % sharedRows, (sequence + 1) % sharedRows].toSorted((a, b) => a - b);
    for (const id of way === "forwards" ? rows : rows.toReversed()) {
      await tx`update shared_rows set n = n + 1 where id = ${id}`;
      await Bun.sleep(1); // long enough for another to lock the other row
    }
  }
}
