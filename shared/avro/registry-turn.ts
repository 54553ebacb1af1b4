import type { Sql } from "../postgres/db.ts";
import { Problem } from "../problem.ts";
import { backoff, sleep } from "../waiting/wait.ts";

/** What the deployment knows of a registry: confirmed or failed within the last half minute, or neither. */
type RegistryNews = "confirmed" | "failed" | null;

/** `keep`, called between two calls of the registry, holds on to the turn. */
type Turn = Readonly<{ keep: () => Promise<void> }>;

type RegistryTurns = Readonly<{
  news: () => Promise<RegistryNews>;
  /**
   * Runs `ask` when it is this role's turn; `null` while it is another's, the pause after a failure lasts, or another
   * has confirmed the registry since this role looked at the news.
   */
  take: <T>(ask: (turn: Turn) => Promise<T>) => Promise<T | null>;
}>;

const heldSeconds = 10;
const freshSeconds = 30;
/** The pause after the first failure, and the longest. */
const pause = { baseMs: 1_000, maxMs: 10_000 };

/**
 * One role of the deployment at a time asks a registry at its start. Seven roles that ask for eleven schemas each, give
 * up after 5 s and ask again a second later kept a slow registry from answering anybody for nine minutes (measured at
 * load 60).
 */
export function openRegistryTurns(sql: Sql, registry: string): RegistryTurns {
  const holder = crypto.randomUUID();
  let confirmedAt: string | null = null;
  return {
    news: async () => {
      const [row] = await sql<{ news: RegistryNews; confirmedAt: string | null }[]>`
        select confirmed_at::text as "confirmedAt", case
          when failed_at > clock_timestamp() - make_interval(secs => ${freshSeconds}) then 'failed'
          when confirmed_at > clock_timestamp() - make_interval(secs => ${freshSeconds}) then 'confirmed' end as news
        from registry_turns where registry = ${registry}`;
      confirmedAt = row?.confirmedAt ?? null;
      return row?.news ?? null;
    },
    take: async (ask) => {
      const taken = await sql`
        insert into registry_turns (registry, holder, held_until)
        values (${registry}, ${holder}, clock_timestamp() + make_interval(secs => ${heldSeconds}))
        on conflict (registry) do update set holder = excluded.holder, held_until = excluded.held_until
        where registry_turns.held_until <= clock_timestamp() and registry_turns.confirmed_at is not distinct from ${confirmedAt}::timestamptz
        returning 1`;
      if (taken.length === 0) return null;
      let keptAt = performance.now();
      const keep = async () => {
        if (performance.now() - keptAt < heldSeconds * 200) return;
        keptAt = performance.now();
        await sql`
          update registry_turns set held_until = clock_timestamp() + make_interval(secs => ${heldSeconds})
          where registry = ${registry} and holder = ${holder}`;
      };
      try {
        const answer = await ask({ keep });
        await sql`
          update registry_turns set held_until = '-infinity', failures = 0, failed_at = null, confirmed_at = clock_timestamp()
          where registry = ${registry} and holder = ${holder}`;
        return answer;
      } catch (error) {
        // What was answered, and is wrong, is no reason for others to do without the registry.
        const isDown = error instanceof Problem && error.code === "UNAVAILABLE";
        const [row] = await sql<{ failures: number }[]>`
          update registry_turns set failures = failures + ${isDown ? 1 : 0}, held_until = '-infinity',
            failed_at = case when ${isDown} then clock_timestamp() else failed_at end
          where registry = ${registry} and holder = ${holder} returning failures`;
        const seconds = backoff(row?.failures ?? 1, pause) / 1000;
        if (isDown)
          await sql`
            update registry_turns set held_until = clock_timestamp() + make_interval(secs => ${seconds})
            where registry = ${registry} and holder = ${holder}`;
        throw error;
      }
    },
  };
}

/** Waits for one's turn: about a fifth of a second, or until `signal` is aborted. */
export async function waitForTurn(signal: AbortSignal | undefined): Promise<void> {
  await sleep(100 + Math.random() * 200, signal ?? new AbortController().signal);
  signal?.throwIfAborted();
}
