import type postgres from "postgres";

/**
 * A connection pool to Postgres. Times come back as `Date`, dates as "YYYY-MM-DD", bigints as text unless a query casts
 * them.
 */
export type Sql = postgres.Sql;
/** A fenced transaction: once it is over, for whatever reason, none of its statements reaches the database any more. */
export type Tx = postgres.TransactionSql;
