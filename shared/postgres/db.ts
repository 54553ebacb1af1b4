import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { integer, optionalUrl, url, type Config } from "../config.ts";
import { boundStatement } from "./deadline.ts";
import { beginFenced, type TransactionOptions } from "./fence.ts";
import { openListener, type Listener } from "./listen.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { checkMigrations } from "./migration-files.ts";
import { makeNotifier, type Notifier } from "./notifier.ts";
import { makePoolMeters, type WatchPool } from "./pool-meters.ts";
import { connectionOptions, type ServerSettings } from "./connection-options.ts";

/** A connection pool to Postgres. Times come back as `Date`, dates as "YYYY-MM-DD", bigints as text unless a query casts them. */
export type Sql = postgres.Sql;
/** A fenced transaction: once it is over, for whatever reason, none of its statements reaches the database any more. */
export type Tx = postgres.TransactionSql;

export type Db = AsyncDisposable &
  Readonly<{
    /**
     * Tagged statements on the pool, each with a deadline (`DB_DEADLINE`). Its `begin` and `reserve` are refused: see `transaction`.
     * Text given where a statement wants json is taken as JSON text.
     */
    sql: Sql;
    /** drizzle on the same pool, with the same deadlines. Its `transaction` is refused. */
    orm: PostgresJsDatabase;
    /**
     * Runs `work` in a transaction and commits when it resolves, rolls back when it rejects. Rejects with `DB_DEADLINE` or the
     * connection's error when the transaction was cut off; from then on no statement of `work` is sent and `work` is given up,
     * whether it ever settles or not. When the connection breaks during COMMIT the outcome is unknown: write idempotently.
     */
    transaction: <T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions) => Promise<T>;
    /**
     * Calls `onNotify` for every notification, and with "" after each reconnect, as some may have been missed.
     * Has a connection of its own, to DATABASE_DIRECT_URL where set. Resolves after a notification of its own has come back;
     * rejects when none does (a transaction-pooling proxy).
     */
    listen: (channel: string, onNotify: (payload: string) => void) => Promise<Listener>;
    /** Tells a channel that something was committed. One connection per notifier, opened at the first use. */
    notifier: (channel: string) => Notifier;
  }>;

const postgresProtocols = ["postgres", "postgresql"] as const;

export const databaseSettings = {
  url: url("DATABASE_URL", postgresProtocols),
  /** For LISTEN where `url` leads through a transaction-pooling proxy. */
  directUrl: optionalUrl("DATABASE_DIRECT_URL", postgresProtocols),
  /** The server ends a statement after this; the client gives up 2 s later. */
  statementMs: integer("DATABASE_STATEMENT_MS", 10_000, { min: 100, max: 600_000 }),
};

export type OpenDb = Readonly<{
  /** Shown as `application_name`. */
  role: string;
  /** Connections for statements and transactions; 10 by default. */
  poolSize?: number;
  log: Log;
  /** Where the pool's load and failures are told. */
  metrics?: Metrics;
  settings?: ServerSettings;
  /** False for those who migrate. Otherwise a database that is older or newer than this build is refused. */
  checkSchema?: boolean;
}>;

/** Opens a pool; one connection is made at once, to check the database and its migrations. */
export async function openDb(config: Config<typeof databaseSettings>, options: OpenDb): Promise<Db> {
  const { role, log, metrics, poolSize = 10, settings = {} } = options;
  const client = postgres(
    config.url,
    connectionOptions({ role, max: poolSize, statementMs: config.statementMs, settings }),
  );
  const deadlineMs = config.statementMs + 2000;
  const watch = metrics && makePoolMeters(metrics, poolSize);
  const sql = withDeadlines(client, deadlineMs, watch);
  const orm = drizzle({ client: sql });
  restoreTypes(client);
  const closing: AsyncDisposable[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closing.map((part) => part[Symbol.asyncDispose]()));
    await client.end({ timeout: 5 });
  };
  try {
    if (options.checkSchema ?? true) await checkMigrations(sql);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    sql,
    orm,
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
      const notifier = makeNotifier({ url: config.url, role, channel, log });
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

/** drizzle replaces the parsers of times and the serializers of json on the client it is given; tagged statements need them back. */
function restoreTypes(client: Sql): void {
  const { parsers, serializers } = client.options;
  for (const oid of [1114, 1184]) parsers[oid] = (text: string) => new Date(text);
  for (const oid of [1082, 1114, 1184])
    serializers[oid] = (value: unknown) => (value instanceof Date ? value.toISOString() : String(value));
  for (const oid of [114, 3802])
    serializers[oid] = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  // Arrays of dates, times and numerics: postgres.js makes these itself when they are missing.
  for (const oid of [1115, 1182, 1185, 1231]) {
    delete parsers[oid];
    delete serializers[oid];
  }
}
