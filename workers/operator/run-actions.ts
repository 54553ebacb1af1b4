import { isDry } from "./action.ts";
import type { ActionCommand, ParsedOptions } from "./action-command.ts";
import { commonOptions, readArgs, type Terminal } from "./command.ts";
import { openTools, readBy } from "./open-tools.ts";
import { optionsOf, readCommand } from "./read-command.ts";
import { toJson } from "./to-json.ts";
import { usageError } from "./usage-error.ts";

/** Runs the action of a command that is meant, and prints its answer. Resolves with the exit code. */
export async function runActions(
  { actions, pick }: ActionCommand,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const verbs = Object.keys(actions).filter((verb) => !verb.includes(" "));
  const { values: read, positionals } = readArgs(args, { ...commonOptions, ...optionsOf(Object.values(actions)) });
  // parseArgs gives what the options say; their names are known at run time alone.
  const values = read as ParsedOptions;
  const [verb = "", ...words] = verbs[0] === "" ? ["", ...positionals] : positionals.length > 0 ? positionals : verbs;
  if (!verbs.includes(verb)) throw usageError(`"${verb}" is not one of ${verbs.join(", ")}`);
  const typed = positionals.length > 0 ? words : [];
  const action = actions[pick?.(verb, typed, values) ?? verb];
  if (action === undefined) throw usageError(`"${verb}" is not one of ${verbs.join(", ")}`);
  const input = await readCommand(action, typed, values);
  const { confirm } = action.change ?? {};
  const said = values["dry-run"] === true ? true : undefined;
  const otherwise = confirm !== undefined && values[confirm] !== true;
  const dryRun = isDry(action, input, { dryRun: said, otherwise });
  if (dryRun === null) throw usageError("it goes on with a plan that is made already: without --dry-run");
  const texts = { by: textOf(values["by"]), reason: textOf(values["reason"]) };
  await using tools = openTools(terminal);
  const answer = await action.run(tools, input, { by: readBy(texts, terminal.env), dryRun });
  const told = action.change === undefined ? answer : { dryRun, ...answer };
  terminal.print(values["json"] === true ? toJson(told) : action.print(answer, { dryRun, input }));
  return action.fails?.(answer, { dryRun }) === true ? 1 : 0;
}

function textOf(value: ParsedOptions[string]): string | undefined {
  return typeof value === "string" ? value : undefined;
}
