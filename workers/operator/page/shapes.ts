import type { z } from "@hono/zod-openapi";
import type { Action } from "../action.ts";
import type { Actions } from "../commands.ts";

// What the page sends and gets is what the actions take and answer; types alone, so that no code of theirs comes along.

/** `GET /api/…` or `POST /api/…` of every action that has one. */
export type Route = NonNullable<Actions["route"]>;
type ActionOf<R extends Route> = Extract<Actions, { route: R }>;

/** A value as JSON brings it: times as text, offsets as numbers. */
type JsonForm<T> = T extends Date
  ? string
  : T extends bigint
    ? number
    : T extends object
      ? { readonly [K in keyof T]: JsonForm<T[K]> }
      : T;
/** A value to be sent; which words there are is for the server to say. */
type SendableOf<T> = T extends string ? string : T extends object ? { readonly [K in keyof T]: SendableOf<T[K]> } : T;

export type RouteAnswer<R extends Route> = ActionOf<R> extends Action<R, infer _, infer A> ? JsonForm<A> : never;
export type RouteInput<R extends Route> = SendableOf<z.input<ActionOf<R>["input"]>> &
  Readonly<{ reason?: string | null; dryRun?: boolean }>;

export type GroupJson = RouteAnswer<"GET /api/groups">["groups"][number];
export type DeadLetterGroupJson = RouteAnswer<"GET /api/dead-letters/groups">["groups"][number];
export type DeadLetterJson = RouteAnswer<"GET /api/dead-letters/:id">;
export type ParkedJson = RouteAnswer<"GET /api/parked">["parked"][number];
export type Outbox = RouteAnswer<"GET /api/outbox">;
export type HoldJson = Outbox["holds"][number];
export type AuditEntryJson = RouteAnswer<"GET /api/audit">["entries"][number];

/** A record of a topic's tail. */
export type TailRecordJson = Readonly<{
  partition: number;
  offset: number;
  time: string;
  key: string | null;
  type: string | null;
  value: unknown;
  read: string;
}>;
