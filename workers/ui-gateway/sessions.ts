import type { Db } from "../../shared/postgres/db.ts";
import type { Log } from "../../shared/log.ts";

/** Which sessions are over before their tokens expire. Known here without asking: a request waits for no table. */
export type Sessions = AsyncDisposable &
  Readonly<{
    isOver: (sessionId: string) => boolean;
    begin: (session: Session) => Promise<void>;
    /** Logs out, for ever and on every instance within milliseconds; sessions made elsewhere are known by their end alone. */
    end: (session: Session) => Promise<void>;
  }>;

export type Session = Readonly<{ id: string; userId: string; expiresAt: Date }>;

const channel = "session_ended";
/** Covers notifications that never came. */
const lookEveryMs = 5_000;
const forgetEveryMs = 60_000;

/** `onEnded` is called after sessions have ended, here or on another instance. */
export async function openSessions(
  db: Pick<Db, "sql" | "listen" | "notifier">,
  { log, onEnded }: { log: Log; onEnded: (isOver: Sessions["isOver"]) => void },
): Promise<Sessions> {
  const { sql } = db;
  const over = new Map<string, number>();
  const isOver = (id: string) => over.has(id);
  const notifier = db.notifier(channel);
  const look = async () => {
    // Everything still valid by its token: a few rows, as people log out seldom and sessions last a day.
    const rows = await sql<{ id: string; expires_at: Date }[]>`
      select id, expires_at from sessions
      where ended_at is not null and expires_at > clock_timestamp()`;
    const fresh = rows.filter(({ id }) => !over.has(id));
    for (const { id, expires_at } of fresh) over.set(id, expires_at.getTime());
    for (const [id, until] of over) if (until < Date.now() - 60_000) over.delete(id);
    if (fresh.length > 0) onEnded(isOver);
  };
  const tryLook = () => look().catch((error: unknown) => log.warn("sessions_unknown", { error }));
  // Rows locked by another instance are being deleted by it.
  const forget = () => sql`
    delete from sessions where id in (
      select id from sessions where expires_at < clock_timestamp() - interval '1 hour'
      order by id limit 1000 for update skip locked
    )`;
  await look();
  const listener = await db.listen(channel, () => void tryLook());
  const timer = setInterval(() => void tryLook(), lookEveryMs);
  const tryForget = () => forget().catch((error: unknown) => log.warn("sessions_not_forgotten", { error }));
  const forgetting = setInterval(() => void tryForget(), forgetEveryMs);
  return {
    isOver,
    begin: async ({ id, userId, expiresAt }) => {
      await sql`insert into sessions (id, user_id, expires_at) values (${id}, ${userId}, ${expiresAt})`;
    },
    end: async ({ id, userId, expiresAt }) => {
      await sql`
        insert into sessions (id, user_id, expires_at, ended_at) values (${id}, ${userId}, ${expiresAt}, clock_timestamp())
        on conflict (id) do update set ended_at = coalesce(sessions.ended_at, excluded.ended_at)`;
      over.set(id, expiresAt.getTime());
      notifier.notify();
      onEnded(isOver);
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      clearInterval(forgetting);
      await listener[Symbol.asyncDispose]();
    },
  };
}
