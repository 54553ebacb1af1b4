import type { Db } from "../../../shared/postgres/db.ts";
import type { Log } from "../../../shared/role/log.ts";
import type { Role } from "../../../shared/role/role.ts";
import { untilUp } from "../../../shared/role/until-up.ts";
import { keepUp } from "../../../shared/role/upkeep.ts";

/** Which sessions are over before their tokens expire. Known here without asking: a request waits for no table. */
export type Sessions = AsyncDisposable &
  Readonly<{
    isOver: (session: Readonly<{ userId: string; sessionId: string }>) => boolean;
    begin: (session: SignInSession) => Promise<void>;
    /**
     * Logs out, for ever and on every instance within milliseconds; sessions made elsewhere are known by their end
     * alone.
     */
    end: (session: SignInSession) => Promise<void>;
  }>;

/** `id` is unique among the sessions of one user. */
export type SignInSession = Readonly<{ id: string; userId: string; expiresAt: Date }>;

const channel = "session_ended";
/** Covers notifications that never came. */
const lookEveryMs = 5_000;
const keepEveryMs = 60_000;

type OpenSessions = Readonly<{
  now: () => Date;
  log: Log;
  /** Called after sessions have ended, here or on another instance. */
  onEnded: (isOver: Sessions["isOver"]) => void;
  /**
   * The role that starts with it, which then waits for a database that cannot be read, or lets nobody listen as a
   * replica does.
   */
  starting?: Pick<Role, "signal" | "tellOutage">;
}>;

export async function openSessions(
  db: Pick<Db, "sql" | "listen" | "notifier">,
  { log, now, onEnded, starting }: OpenSessions,
): Promise<Sessions> {
  const { sql } = db;
  const over = new Map<string, number>();
  const isOver: Sessions["isOver"] = ({ userId, sessionId }) => over.has(keyOf(userId, sessionId));
  const notifier = db.notifier(channel);
  const look = async () => {
    // Everything still valid by its token: a few rows, as people log out seldom and sessions last a day.
    // A minute longer, because tokens are taken for some seconds after their end.
    const rows = await sql<{ id: string; user_id: string; expires_at: Date }[]>`
      select id, user_id, expires_at from sessions
      where ended_at is not null and expires_at > clock_timestamp() - interval '1 minute'`;
    const fresh = rows.filter(({ user_id, id }) => !over.has(keyOf(user_id, id)));
    for (const { user_id, id, expires_at } of rows) over.set(keyOf(user_id, id), expires_at.getTime());
    for (const [id, until] of over) if (until < now().getTime() - 60_000) over.delete(id);
    if (fresh.length > 0) onEnded(isOver);
  };
  const tryLook = () => look().catch((error: unknown) => log.warn("sessions_unknown", { error }));
  const open = async () => {
    await look();
    return db.listen(channel, () => void tryLook());
  };
  const listener = starting
    ? await untilUp({ part: "sessions", signal: starting.signal, log, tell: starting.tellOutage }, open)
    : await open();
  const timer = setInterval(() => void tryLook(), lookEveryMs);
  return {
    isOver,
    begin: async ({ id, userId, expiresAt }) => {
      await sql`insert into sessions (id, user_id, expires_at) values (${id}, ${userId}, ${expiresAt})`;
    },
    end: async ({ id, userId, expiresAt }) => {
      // A later token of the same session keeps it ended for longer.
      const [row] = await sql<{ expires_at: Date }[]>`
        insert into sessions (id, user_id, expires_at, ended_at) values (${id}, ${userId}, ${expiresAt}, clock_timestamp())
        on conflict (user_id, id) do update set ended_at = coalesce(sessions.ended_at, excluded.ended_at),
          expires_at = greatest(sessions.expires_at, excluded.expires_at)
        returning expires_at`;
      over.set(keyOf(userId, id), (row?.expires_at ?? expiresAt).getTime());
      notifier.notify();
      onEnded(isOver);
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await listener[Symbol.asyncDispose]();
    },
  };
}

/**
 * Forgets sessions whose tokens expired an hour ago, every minute. Rows locked by another instance are being deleted by
 * it.
 */
export function keepSessions({ sql }: Pick<Db, "sql">, role: Parameters<typeof keepUp>[1]): Promise<void> {
  const steps = {
    old_sessions: () => sql`
      delete from sessions where (user_id, id) in (
        select user_id, id from sessions where expires_at < clock_timestamp() - interval '1 hour'
        order by user_id, id limit 1000 for update skip locked
      )`,
  };
  return keepUp({ everyMs: keepEveryMs, steps }, role);
}

/** Two users may bring the same session id: ids are their issuers' choice. */
function keyOf(userId: string, sessionId: string): string {
  return `${userId} ${sessionId}`;
}
