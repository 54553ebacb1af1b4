import type { z } from "@hono/zod-openapi";
import type { Action } from "../action.ts";
import type { Actions } from "../commands.ts";

// What the page sends and gets is what the actions take and answer; types alone, so that no code of theirs comes along.

/** `GET /api/…` or `POST /api/…` of every action that has one. */
export type Route = NonNullable<Actions["route"]>;
type ActionOf<R extends Route> = Extract<Actions, { route: R }>;

/** A value as JSON brings it: times as text, offsets as numbers. */
type Json<T> = T extends Date
  ? string
  : T extends bigint
    ? number
    : T extends object
      ? { readonly [K in keyof T]: Json<T[K]> }
      : T;
/** A value to be sent; which words there are is for the server to say. */
type Sent<T> = T extends string ? string : T extends object ? { readonly [K in keyof T]: Sent<T[K]> } : T;

export type Answer<R extends Route> = ActionOf<R> extends Action<R, infer _, infer A> ? Json<A> : never;
export type Asked<R extends Route> = Sent<z.input<ActionOf<R>["input"]>> &
  Readonly<{ reason?: string | null; dryRun?: boolean }>;

export type Group = Answer<"GET /api/groups">["groups"][number];
export type Kind = Answer<"GET /api/dead-letters/groups">["groups"][number];
export type Letter = Answer<"GET /api/dead-letters/:id">;
export type Parked = Answer<"GET /api/parked">["parked"][number];
export type Outbox = Answer<"GET /api/outbox">;
export type Hold = Outbox["holds"][number];
export type Change = Answer<"GET /api/audit">["entries"][number];

/** A record of a topic's tail. */
export type Tailed = Readonly<{
  partition: number;
  offset: number;
  time: string;
  key: string | null;
  type: string | null;
  value: unknown;
  read: string;
}>;
