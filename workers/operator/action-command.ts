import type { AnyAction } from "./action.ts";

/** What `parseArgs` found. */
export type ParsedOptions = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/**
 * A command that is nothing but its actions. Run by `runActions`; nothing here needs a terminal, since the API has the
 * actions too.
 */
export type ActionCommand = Readonly<{
  summary: string;
  help: string;
  /** By the word that says which, the first where none is said; a command whose only word is "" has none. */
  actions: Readonly<Record<string, AnyAction>>;
  /** Chooses by what follows the word; names with a space are chosen by it alone. */
  pick?: (verb: string, words: readonly string[], values: ParsedOptions) => string;
  /** Those of the API alone. */
  others?: readonly AnyAction[];
}>;

/** The options of every change. */
export const changeHelp = `  --dry-run       shows what would be done, and does nothing
  --reason TEXT   kept in the audit, as is who did it: --by NAME, or the user of this machine`;
