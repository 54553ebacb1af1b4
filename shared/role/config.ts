/**
 * Where a setting comes from and how its text becomes a value. `parse` throws an Error whose message completes "NAME
 * …".
 */
export type Setting<T> = Readonly<{ name: string; fallback: string | undefined; parse: (text: string) => T }>;

/** A tree of settings; groups (Kafka, auth) are written once beside what they configure and nested by the roles. */
export type Settings = { readonly [key: string]: Setting<unknown> | Settings };

export type Config<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : S[K] extends Settings ? Config<S[K]> : never;
};

/** A group as its check sees it: `undefined` is a value that was complained about already. */
export type PartialConfig<S extends Settings> = { readonly [K in keyof S]: Config<S>[K] | undefined };

// Under a symbol, so that it is none of the group's settings, and stays with a group that is copied.
const checkOf = Symbol("check");

/**
 * The same group with rules between its settings. `complain` returns one complaint each, beginning with a setting's
 * name.
 */
export function checked<S extends Settings>(group: S, complain: (seen: PartialConfig<S>) => readonly string[]): S {
  return { ...group, [checkOf]: complain };
}

/**
 * Reads every setting of a role at once. An unset or empty variable takes the fallback.
 * Throws one Error that lists all complaints, a line each, so that a wrong deployment is mended in one round.
 */
export function readConfig<S extends Settings>(settings: S, env: Environment): Config<S> {
  const result = examineConfig(settings, env);
  if ("complaints" in result) throw new Error(`configuration:\n  ${result.complaints.join("\n  ")}`);
  return result.config;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** As `readConfig`, for a caller who tells the complaints in another way; there is at least one. */
export function examineConfig<S extends Settings>(
  settings: S,
  env: Environment,
): Readonly<{ config: Config<S> } | { complaints: readonly string[] }> {
  const complaints: string[] = [];
  const readOne = (setting: Setting<unknown>): unknown => {
    const text = env[setting.name] || setting.fallback;
    if (text === undefined) {
      complaints.push(`${setting.name} is not set`);
      return undefined;
    }
    try {
      return setting.parse(text);
    } catch (error) {
      complaints.push(`${setting.name} ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const read = (group: CheckedSettings): Record<string, unknown> => {
    const values = Object.freeze(
      Object.fromEntries(
        Object.entries(group).map(([key, setting]) => [key, isSetting(setting) ? readOne(setting) : read(setting)]),
      ),
    );
    complaints.push(...(group[checkOf]?.(values) ?? []));
    return values;
  };
  const config = read(settings);
  // The shape follows from `settings` by construction; TypeScript cannot see it through fromEntries.
  return complaints.length > 0 ? { complaints } : { config: config as Config<S> };
}

type CheckedSettings = Settings & {
  readonly [checkOf]?: (seen: Readonly<Record<string, unknown>>) => readonly string[];
};

/** The names a tree of settings reads, for the check of `.env.example`. */
export function settingNames(settings: Settings): readonly string[] {
  return Object.values(settings).flatMap((setting) => (isSetting(setting) ? [setting.name] : settingNames(setting)));
}

export function text(name: string, fallback?: string): Setting<string> {
  return { name, fallback, parse: (value) => value };
}

/** Text that may be missing: `null` when unset. */
export function optional(name: string): Setting<string | null> {
  return { name, fallback: "", parse: (value) => (value === "" ? null : value) };
}

export function integer(name: string, fallback: number, range: { min: number; max: number }): Setting<number> {
  return {
    name,
    fallback: String(fallback),
    parse: (value) => {
      const number = Number(value);
      if (!Number.isInteger(number) || number < range.min || number > range.max)
        throw new Error(`must be a whole number from ${range.min} to ${range.max}, not "${value}"`);
      return number;
    },
  };
}

/** A whole number that may be missing: `null` when unset. */
export function optionalInteger(name: string, range: { min: number; max: number }): Setting<number | null> {
  const { parse } = integer(name, 0, range);
  return { name, fallback: "", parse: (value) => (value === "" ? null : parse(value)) };
}

export function flag(name: string, fallback: boolean): Setting<boolean> {
  return {
    name,
    fallback: String(fallback),
    parse: (value) => {
      if (value === "true" || value === "1") return true;
      if (value === "false" || value === "0") return false;
      throw new Error(`must be true or false, not "${value}"`);
    },
  };
}

export function oneOf<const T extends string>(name: string, values: readonly T[], fallback?: NoInfer<T>): Setting<T> {
  return {
    name,
    fallback,
    parse: (value) => {
      const found = values.find((candidate) => candidate === value);
      if (found === undefined) throw new Error(`must be one of ${values.join(", ")}, not "${value}"`);
      return found;
    },
  };
}

/** One of the values, or `null` when unset. */
export function optionalOneOf<const T extends string>(name: string, values: readonly T[]): Setting<T | null> {
  const { parse } = oneOf(name, values);
  return { name, fallback: "", parse: (value) => (value === "" ? null : parse(value)) };
}

/**
 * A URL of one of the protocols, as it was written. Several hosts separated by commas are taken as one: Postgres
 * clients try them in turn. What is wrong is told without the value, which may hold a password.
 */
export function url(name: string, protocols: readonly string[], fallback?: string): Setting<string> {
  return { name, fallback, parse: (value) => readUrl(value, protocols) };
}

/** A URL that may be missing: `null` when unset. */
export function optionalUrl(name: string, protocols: readonly string[]): Setting<string | null> {
  return { name, fallback: "", parse: (value) => (value === "" ? null : readUrl(value, protocols)) };
}

/** At least one URL, separated by commas. */
export function urlList(name: string, protocols: readonly string[], fallback?: string): Setting<readonly string[]> {
  return { name, fallback, parse: (value) => items(value).map((item) => readUrl(item, protocols)) };
}

/** At least one `host:port`, separated by commas. */
export function brokerList(name: string, fallback?: string): Setting<readonly string[]> {
  return {
    name,
    fallback,
    parse: (value) =>
      items(value).map((item) => {
        const port = Number(/^(?:\[[\da-f:.]+\]|[^\s:/@,[\]]+):(\d{1,5})$/i.exec(item)?.[1]);
        if (!(port >= 1 && port <= 65_535)) throw new Error(`must be host:port, separated by commas, not "${item}"`);
        return item;
      }),
  };
}

function items(value: string): readonly string[] {
  const found = value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  if (found.length === 0) throw new Error("names none");
  return found;
}

function readUrl(value: string, protocols: readonly string[]): string {
  const [, protocol = ""] = /^([a-z][a-z\d+.-]*):\/\//.exec(value) ?? [];
  const oneHost = value.replace(/^([^/]*\/\/(?:[^/?]*@)?[^/?,@]*),[^/?]*/, "$1");
  if (!protocols.includes(protocol) || URL.parse(oneHost) === null)
    throw new Error(`must be a URL beginning with ${protocols.map((known) => `${known}://`).join(" or ")}`);
  return value;
}

function isSetting(setting: Setting<unknown> | Settings): setting is Setting<unknown> {
  return typeof setting.parse === "function" && typeof setting.name === "string";
}
