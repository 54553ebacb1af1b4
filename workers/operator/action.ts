import type { z } from "@hono/zod-openapi";
import type { Broker } from "../../shared/messages/broker.ts";
import type { Codec } from "../../shared/avro/codec.ts";
import type { Config } from "../../shared/role/config.ts";
import type { Db } from "../../shared/postgres/db.ts";
import type { RegistryClient } from "../../shared/avro/registry.ts";
import type { ReadSchemas } from "./actions/apply-schemas.ts";
import type { ChangeAuthor } from "./audit.ts";
import type { topicSettings } from "./plan-topics.ts";

/** What actions work with. The command line opens each at its first use; the operator's role has most of it open. */
export type Tools = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  db: () => Promise<Db>;
  broker: () => Promise<Broker>;
  codec: () => Promise<Codec>;
  registry: () => RegistryClient;
  topicSettings: () => Config<typeof topicSettings>;
  /** What this build has committed; it lies in files. */
  readSchemas: ReadSchemas;
  /** The database's time, by which everything was written that an action looks for. */
  now: () => Promise<Date>;
  /**
   * Runs a change that takes long. The command line waits for what it resolves with; the API answers 202 at once with
   * the id, and the audit tells how far it is. Rejects with REFUSED where this process runs it already.
   */
  runLong: <T>(id: string, run: () => Promise<T>) => Promise<T | undefined>;
  isRunning: ((id: string) => boolean) | null;
  /** Ends a long change early, to be resumed by its id; the command line has none, and is killed. */
  signal: AbortSignal;
  /** The same for a change that has something to put back first: the command line listens for SIGINT then. */
  interrupted: () => AbortSignal;
  /** Says how it goes to who waits at the command line. */
  tell: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}>;

/** How a change is made: by whom, and whether it is only shown. */
type ChangeContext = Readonly<{ by: ChangeAuthor; dryRun: boolean }>;

export type Shape = z.ZodObject;

/** How the command line asks for the input, where that differs from `--field-name`. */
export type Wording = Readonly<{
  /** Fields that are words after the verb, in order, each as people are asked for it: "a group". */
  words?: Readonly<Record<string, string>>;
  /** Options with another name than their field. */
  options?: Readonly<Record<string, string>>;
  /** Other defaults than those of the API. */
  fallbacks?: Readonly<Record<string, string>>;
  /** What is said of a mistake in a field, or under "" of one between fields, where the API's words name no options. */
  says?: Readonly<Record<string, string>>;
  /** Fields that are read, as JSON, of the file that is named. */
  files?: readonly string[];
}>;

/**
 * What an operator can do: one definition is the command, the route of the API and the call of the page. Defined by
 * `defineAction` and listed in its command.
 */
export type Action<Route extends string | null, Input extends Shape, Answer> = Readonly<{
  /** `GET /api/…` or `POST /api/…`; a `:name` is a field of the input. `null`: the command line alone has it. */
  route: Route;
  /** Checked for both; of numbers the command line takes larger ones than the API. */
  input: Input;
  cli?: Wording;
  /**
   * For what changes something. `dryRun`: what the API takes it for when it is not said. `confirm`: the option without
   * which a command only shows. `resumes`: the field that names a change begun before, which is never only shown.
   */
  change?: Readonly<{ dryRun: boolean; confirm?: string; resumes?: string }>;
  // Methods: `AnyAction` gives each the input that its own schema has read.
  run(tools: Tools, input: z.output<Input>, change: ChangeContext): Promise<Answer>;
  /** The answer for people. */
  print(answer: Answer, about: Readonly<{ dryRun: boolean; input: z.output<Input> }>): string;
  /** Whether the command ends with 1, though there is an answer. */
  fails?(answer: Answer, about: Readonly<{ dryRun: boolean }>): boolean;
}>;

/** Any of them, as the command line and the routes run it: what `run` takes was read by its own `input`. */
export type AnyAction = Action<string | null, Shape, object>;

/** Gives the parts of a definition each other's types. Three of them, since the page asks for each. */
export function defineAction<const Route extends string | null, Input extends Shape, Answer extends object>(
  action: Action<Route, Input, Answer>,
): Action<Route, Input, Answer> {
  return action;
}

/**
 * Whether a change is only to be shown; `null` where that was said of one that was begun before, which is a mistake.
 */
export function isDry(
  { change }: AnyAction,
  input: Readonly<Record<string, unknown>>,
  said: Readonly<{ dryRun: boolean | undefined; otherwise: boolean }>,
): boolean | null {
  const isResumed = change?.resumes !== undefined && input[change.resumes] !== undefined;
  if (!isResumed) return said.dryRun ?? said.otherwise;
  return said.dryRun === true ? null : false;
}
