import { z } from "@hono/zod-openapi";
import type { ParseArgsOptionsConfig } from "node:util";
import type { AnyAction, Shape, Wording } from "./action.ts";
import type { ParsedOptions } from "./action-command.ts";
import { readNumber } from "./command.ts";
import { usageError } from "./usage-error.ts";
import { moment } from "./fields.ts";
import { readGroup } from "./read-group.ts";

type OptionKind = "text" | "list" | "switch" | "number";
/** A field of an input as the command line asks for it. `path`: where it is in the input. */
type InputField = Readonly<{
  path: readonly [string, ...string[]];
  option: string;
  kind: OptionKind;
  schema: z.ZodType;
}>;
/** The options by which any of these actions is asked. */
export function optionsOf(actions: readonly AnyAction[]): ParseArgsOptionsConfig {
  const options: Record<string, NonNullable<ParseArgsOptionsConfig[string]>> = {};
  for (const { input, cli = {}, change } of actions) {
    for (const { path, option, kind } of fieldsOf(input, cli))
      if (path[0] in (cli.words ?? {})) continue;
      else if (kind === "list" || options[option] === undefined)
        options[option] = { type: kind === "switch" ? "boolean" : "string", multiple: kind === "list" };
    if (change !== undefined)
      Object.assign(options, { "dry-run": { type: "boolean" }, by: { type: "string" }, reason: { type: "string" } });
    if (change?.confirm !== undefined) options[change.confirm] = { type: "boolean" };
  }
  return options;
}

/** Reads an action's input of what was typed. Throws a usage error that names each mistake by its option. */
export async function readCommand(
  { input, cli = {} }: AnyAction,
  typed: readonly string[],
  values: ParsedOptions,
): Promise<z.output<Shape>> {
  const names = Object.keys(cli.words ?? {});
  if (typed.length > names.length) throw usageError(`unexpected "${typed[names.length]}"`);
  const raw: Record<string, unknown> = {};
  const numbers: (readonly [InputField, number])[] = [];
  const fields = fieldsOf(input, cli);
  for (const field of fields) {
    const { path, option, kind, schema } = field;
    const word = names.indexOf(path[0]);
    const value = word >= 0 ? typed[word] : (oneOf(field, values[option]) ?? cli.fallbacks?.[path[0]]);
    if (value === undefined) continue;
    if (kind === "number") numbers.push([field, readNumber(option, String(value))]);
    else if (path.at(-1) === "group" && schema instanceof z.ZodEnum) put(raw, path, readGroup(String(value)));
    else put(raw, path, cli.files?.includes(path[0]) === true ? await readFile(String(value)) : value);
  }
  // The API's bounds on numbers are for those who have a token and no shell.
  for (const [field, number] of numbers) put(raw, field.path, bounded(field, number));
  const result = input.safeParse(raw);
  if (!result.success) throw usageError(mistakes(result.error, { fields, raw, cli }));
  const read: Record<string, unknown> = result.data;
  for (const [{ path }, number] of numbers) put(read, path, number);
  return read;
}

function fieldsOf(
  shape: Shape,
  { words = {}, options = {} }: Wording,
  under: readonly string[] = [],
): readonly InputField[] {
  return Object.entries(shape.shape).flatMap(([name, schema]): readonly InputField[] => {
    const bare = bareOf(schema as z.ZodType); // zod's own classes
    if (bare instanceof z.ZodObject) return fieldsOf(bare, { words, options }, [...under, name]);
    const option = options[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const [first = name, ...rest] = [...under, name];
    return [{ path: [first, ...rest], option, kind: kindOf(bare, schema as z.ZodType), schema: bare }];
  });
}

function bareOf(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
    ? bareOf(schema.unwrap() as z.ZodType)
    : schema;
}

function kindOf(bare: z.ZodType, schema: z.ZodType): OptionKind {
  if (bare instanceof z.ZodBoolean || bare instanceof z.ZodLiteral) return "switch";
  if (bare instanceof z.ZodArray) return "list";
  // A number of a query is made of text; its default tells.
  return bare instanceof z.ZodNumber || typeof schema.safeParse(undefined).data === "number" ? "number" : "text";
}

/** An option that other actions of the command take several times is said once here. */
function oneOf({ option, kind }: InputField, value: ParsedOptions[string]): ParsedOptions[string] {
  if (typeof value !== "object" || kind === "list") return value;
  if (value.length > 1) throw usageError(`one --${option} at a time`);
  return value[0];
}

/** The number as far as the schema takes it, or nothing where it takes text. Too small is a mistake here as there. */
function bounded({ schema, option }: InputField, number: number): number | undefined {
  if (!(schema instanceof z.ZodNumber)) return undefined;
  const { minValue, maxValue } = schema;
  if (minValue !== null && number < minValue) throw usageError(`--${option} must be ${minValue} or more`);
  return Math.min(number, maxValue ?? number);
}

function put(into: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (name === undefined || value === undefined) return;
  const [next] = rest;
  if (next === undefined) into[name] = value;
  else into[name] = { ...(into[name] as object | undefined), [next]: value };
}

function mistakes(
  { issues }: z.ZodError,
  {
    fields,
    raw,
    cli,
  }: Readonly<{ fields: readonly InputField[]; raw: Readonly<Record<string, unknown>>; cli: Wording }>,
): string {
  const missing: string[] = [];
  const wrong: string[] = [];
  for (const { path, message } of issues) {
    const first = String(path[0] ?? "");
    const field = fields.find((one) => one.path.every((part, place) => part === path[place]));
    const asked = cli.words?.[first] ?? `--${field?.option ?? first}`;
    const said = path.length < 2 ? cli.says?.[first] : undefined;
    if (said !== undefined && field?.schema !== moment) wrong.push(said);
    else if (path.length === 1 && raw[first] === undefined) missing.push(asked);
    else
      wrong.push(`${asked}${first in (cli.words ?? {}) ? ":" : ""} ${field?.schema === moment ? timeWords : message}`);
  }
  const [last, ...others] = missing.toReversed();
  const both = others.length === 0 ? last : `${others.toReversed().join(", ")} and ${last}`;
  return [...(last === undefined ? [] : [`say ${both}`]), ...wrong].join("; ");
}

const timeWords = "must be a time such as 2026-03-01T09:00:00Z, or an age such as 30m, 2h or 3d";

/** What a file holds; `-` is standard input. */
async function readFile(file: string): Promise<unknown> {
  const text = await (file === "-" ? Bun.stdin : Bun.file(file)).text();
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Error(`${file} is not JSON`, { cause });
  }
}
