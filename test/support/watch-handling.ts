/** Makes writes of the broadcaster fail through Postgres alone, and notes what every group handles, in its order. */
export type Watched = AsyncDisposable &
  Readonly<{
    /** From now on a view that fits all that is given cannot be written; the error has this SQLSTATE. */
    fail: (of: Readonly<{ taskId?: string; contains?: string; sqlstate: string }>) => Promise<void>;
    heal: () => Promise<void>;
    /** The versions of a task at which its view changed, in the order they were handled. */
    folds: (taskId: string) => Promise<readonly number[]>;
    /** The same of every task. */
    foldsOfAll: () => Promise<ReadonlyMap<string, readonly number[]>>;
    /** Fates given to messages since `since`, in the order they were given. */
    fates: (since?: number) => Promise<readonly Fate[]>;
    /** Where `fates` is now. */
    mark: () => Promise<number>;
  }>;
type Fate = Readonly<{ group: string; messageId: string; fate: "done" | "parked" | "dead" }>;

/** Call it once per database, before anything is handled. What is noted is part of the handling's own transaction. */
export async function watchHandling(databaseUrl: string): Promise<Watched> {
  const sql = new Bun.SQL(databaseUrl, { max: 2 });
  await sql.unsafe(triggers).simple();
  const folds = async (taskId: string | null): Promise<readonly Readonly<{ task: string; version: string }>[]> =>
    await sql`
      select task_id as task, version::text from test_folds
      where ${taskId}::uuid is null or task_id = ${taskId}::uuid order by place`;
  return {
    fail: async ({ taskId = null, contains = null, sqlstate }) =>
      void (await sql`insert into test_failing values (${taskId}, ${contains}, ${sqlstate})`),
    heal: async () => void (await sql`delete from test_failing`),
    folds: async (taskId) => (await folds(taskId)).map(({ version }) => Number(version)),
    foldsOfAll: async () =>
      new Map(
        [...Map.groupBy(await folds(null), ({ task }) => task)].map(([task, rows]) => [
          task,
          rows.map(({ version }) => Number(version)),
        ]),
      ),
    fates: async (since = 0) => {
      const rows: Fate[] = await sql`
        select g.name as "group", message_id as "messageId", fate from test_fates join consumer_groups g using (epoch)
        where place > ${since} order by place`;
      return rows;
    },
    mark: async () => {
      const [row]: { place: string }[] = await sql`select coalesce(max(place), 0)::text as place from test_fates`;
      return Number(row?.place);
    },
    [Symbol.asyncDispose]: () => sql.close(),
  };
}

const triggers = `
create table test_failing (task_id uuid, needle text, state text not null);
create function test_fail() returns trigger language plpgsql as $$
declare failing test_failing%rowtype;
begin
  select * into failing from test_failing f
    where (f.task_id is null or f.task_id = new.task_id) and (needle is null or position(needle in new.folded::text) > 0) limit 1;
  if found then raise exception 'the view of task % cannot be written', new.task_id using errcode = failing.state; end if;
  return new;
end $$;
create trigger test_fail before insert or update on task_views for each row execute function test_fail();

create table test_folds (place bigserial primary key, task_id uuid not null, version bigint not null);
create function test_note_fold() returns trigger language plpgsql as $$
begin
  if new.folded is not null and (tg_op = 'INSERT' or new.folded is distinct from old.folded) then
    insert into test_folds (task_id, version) values (new.task_id, (new.folded ->> 'version')::bigint);
  end if;
  return null;
end $$;
create trigger test_note_fold after insert or update on task_views for each row execute function test_note_fold();

create table test_fates (place bigserial primary key, epoch integer not null, message_id uuid not null, fate text not null);
create function test_note_fate() returns trigger language plpgsql as $$
begin
  insert into test_fates (epoch, message_id, fate) values (new.epoch, new.message_id, new.fate);
  return null;
end $$;
create trigger test_note_fate after insert or update on inbox for each row execute function test_note_fate();
`;
