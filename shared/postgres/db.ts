import postgres from "postgres";
import { checked, integer, optionalOneOf, optionalUrl, url, type Config } from "../role/config.ts";
import { boundStatement } from "./deadline.ts";
import { beginFenced, type TransactionOptions } from "./fence.ts";
import { openListener, type PostgresListener } from "./listen.ts";
import type { Log } from "../role/log.ts";
import type { Metrics } from "../role/metrics.ts";
import type { Role } from "../role/role.ts";
import { untilUp } from "../role/until-up.ts";
import { checkMigrations } from "./migration-files.ts";
import { makeNotifier, type Notifier } from "./notifier.ts";
import { makePoolMeters, type WatchPool } from "./pool-meters.ts";
import { checkConnection } from "./check-connection.ts";
import { connectionOptions, type Pooler, type ServerSettings } from "./connection-options.ts";
import type { Sql, Tx } from "./sql.ts";

export type { Sql, Tx };

export type Db = AsyncDisposable &
  Readonly<{
    /**
     * Tagged statements on the pool, each with a deadline (`DB_DEADLINE`). Its `begin` and `reserve` are refused: see
     * `transaction`. Text given where a statement wants json is taken as JSON text.
     */
    sql: Sql;
    /**
     * Runs `work` in a transaction and commits when it resolves, rolls back when it rejects. Rejects with `DB_DEADLINE`
     * or the connection's error when the transaction was cut off; from then on no statement of `work` is sent and
     * `work` is given up, whether it ever settles or not. When the connection breaks during COMMIT the outcome is
     * unknown: write idempotently.
     */
    transaction: <T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions) => Promise<T>;
    /**
     * Calls `onNotify` for every notification, and with "" after each reconnect, as some may have been missed. Has a
     * connection of its own, to DATABASE_DIRECT_URL where set. Resolves after a notification of its own has come back;
     * rejects when none does (a transaction-pooling proxy).
     */
    listen: (channel: string, onNotify: (payload: string) => void) => Promise<PostgresListener>;
    /** Tells a channel that something was committed. One connection per notifier, opened at the first use. */
    notifier: (channel: string) => Notifier;
  }>;

const postgresProtocols = ["postgres", "postgresql"] as const;

export const databaseSettings = checked(
  {
    url: url("DATABASE_URL", postgresProtocols),
    /**
     * For LISTEN, migrations and pools with settings of their own, where `url` leads through a transaction-pooling
     * proxy.
     */
    directUrl: optionalUrl("DATABASE_DIRECT_URL", postgresProtocols),
    /** The server ends a statement after this; the client gives up 2 s later. */
    statementMs: integer("DATABASE_STATEMENT_MS", 10_000, { min: 100, max: 600_000 }),
    /**
     * Said where `url` leads through a proxy that gives connections to transactions, such as PgBouncer's pool_mode =
     * transaction.
     */
    pooler: optionalOneOf("DATABASE_POOLER", ["transaction"]),
  },
  ({ pooler, directUrl }) =>
    pooler === "transaction" && directUrl === null
      ? ["DATABASE_DIRECT_URL is not set: DATABASE_POOLER=transaction needs it, for LISTEN and migrations"]
      : [],
);
/** `pooler` may be left out for none. */
type DatabaseConfig = Omit<Config<typeof databaseSettings>, "pooler"> & Readonly<{ pooler?: Pooler }>;

type OpenDb = Readonly<{
  /** Shown as `application_name`. */
  role: string;
  /** Connections for statements and transactions; 10 by default. */
  poolSize?: number;
  log: Log;
  /** Where the pool's load and failures are told. */
  metrics?: Metrics;
  settings?: ServerSettings;
  /**
   * The role that starts with it, which then waits for a database that is down, and takes its time from it; without,
   * that is an error at once.
   */
  starting?: Pick<Role, "signal" | "tellOutage" | "clock">;
  /** False for those who migrate. Otherwise a database that is older or newer than this build is refused. */
  checkSchema?: boolean;
}>;

/** Opens a pool; one connection is made at once, to check the database and its migrations. */
export async function openDb(config: DatabaseConfig, options: OpenDb): Promise<Db> {
  const { role, log, metrics, poolSize = 10, settings = {} } = options;
  // Settings are a connection's: through a transaction pooler they would be whoever's has it next.
  const goesDirect = Object.keys(settings).length > 0 && config.directUrl !== null;
  const pooler = goesDirect ? null : (config.pooler ?? null);
  const { statementMs } = config;
  const client = postgres(
    goesDirect ? (config.directUrl ?? config.url) : config.url,
    connectionOptions({ role, max: poolSize, statementMs, settings, pooler }),
  );
  const deadlineMs = config.statementMs + 2000;
  const watch = metrics && makePoolMeters(metrics, poolSize);
  const sql = withDeadlines(client, deadlineMs, watch);
  const closing: AsyncDisposable[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closing.map((part) => part[Symbol.asyncDispose]()));
    await client.end({ timeout: 5 });
  };
  try {
    const check = async () => {
      await checkConnection(sql, { pooler, statementMs });
      await checkMigrations(sql);
    };
    const { starting } = options;
    if (starting) {
      const start = async () => {
        await check();
        closing.push(await starting.clock.follow({ sql }));
      };
      await untilUp({ part: "database", ...starting, log, tell: starting.tellOutage }, start);
    } else if (options.checkSchema ?? true) await check();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    sql,
    transaction: async (work, more) => {
      const end = watch?.();
      try {
        const result = await beginFenced(client, work, {
          deadlineMs: 30_000,
          statementDeadlineMs: deadlineMs,
          ...more,
        });
        end?.();
        return result;
      } catch (error) {
        end?.(error);
        throw error;
      }
    },
    listen: async (channel, onNotify) => {
      const url = config.directUrl ?? config.url;
      const listener = await openListener({ url, role, channel, onNotify, log, send: sql });
      closing.push(listener);
      return listener;
    },
    notifier: (channel) => {
      const notifier = makeNotifier({ url: config.url, role, channel, log, pooler: config.pooler ?? null });
      closing.push(notifier);
      return notifier;
    },
    [Symbol.asyncDispose]: close,
  };
}

const refused = new Set<string | symbol>(["begin", "reserve", "listen", "subscribe"]);

function withDeadlines(client: Sql, deadlineMs: number, watch: WatchPool | undefined): Sql {
  return new Proxy(client, {
    apply: (target, self, args) => boundStatement(Reflect.apply(target, self, args), deadlineMs, { watch }),
    get: (target, name, self) => {
      if (refused.has(name))
        return () => {
          throw new Error(`sql.${String(name)} is not fenced; use the transaction or listen of Db`);
        };
      if (name === "unsafe")
        return (...args: Parameters<Sql["unsafe"]>) => boundStatement(target.unsafe(...args), deadlineMs, { watch });
      return Reflect.get(target, name, self);
    },
  });
}
