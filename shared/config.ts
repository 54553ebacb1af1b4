/** Where a setting comes from and how its text becomes a value. `parse` throws an Error whose message completes "NAME …". */
export type Setting<T> = Readonly<{ name: string; fallback: string | undefined; parse: (text: string) => T }>;

/** A tree of settings; groups (Kafka, auth) are written once beside what they configure and nested by the roles. */
export type Settings = { readonly [key: string]: Setting<unknown> | Settings };

export type Config<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : S[K] extends Settings ? Config<S[K]> : never;
};

/**
 * Reads every setting of a role at once. An unset or empty variable takes the fallback.
 * Throws one Error that lists all complaints, a line each, so that a wrong deployment is mended in one round.
 */
export function readConfig<S extends Settings>(
  settings: S,
  env: Readonly<Record<string, string | undefined>>,
): Config<S> {
  const complaints: string[] = [];
  const read = (group: Settings): Record<string, unknown> =>
    Object.freeze(
      Object.fromEntries(
        Object.entries(group).map(([key, setting]) => {
          if (!isSetting(setting)) return [key, read(setting)];
          const text = env[setting.name] || setting.fallback;
          if (text === undefined) {
            complaints.push(`${setting.name} is not set`);
            return [key, undefined];
          }
          try {
            return [key, setting.parse(text)];
          } catch (error) {
            complaints.push(`${setting.name} ${error instanceof Error ? error.message : String(error)}`);
            return [key, undefined];
          }
        }),
      ),
    );
  const config = read(settings);
  if (complaints.length > 0) throw new Error(`configuration:\n  ${complaints.join("\n  ")}`);
  // The shape follows from `settings` by construction; TypeScript cannot see it through fromEntries.
  return config as Config<S>;
}

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

/** A comma-separated list; blanks are dropped. */
export function list(name: string, fallback?: string): Setting<readonly string[]> {
  return {
    name,
    fallback,
    parse: (value) =>
      value
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== ""),
  };
}

function isSetting(setting: Setting<unknown> | Settings): setting is Setting<unknown> {
  return typeof setting.parse === "function" && typeof setting.name === "string";
}
