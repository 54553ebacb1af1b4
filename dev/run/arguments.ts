export type DevArguments = Readonly<{
  command: "run" | "status" | "help";
  json: boolean;
  reset: boolean;
  stackOnly: boolean;
  /** Undefined means every role. */
  only: readonly string[] | undefined;
  scale: ReadonlyMap<string, number>;
}>;

export const usage = `npx bun run dev                    the stack and every role of the Procfile
npx bun run dev status [--json]    where everything is, and whether it is ready
  --only ui-gateway,task-service   only these roles
  --scale task-service=2           so many instances of a role; may be repeated
  --stack-only                     no roles: for those started by hand
  --reset                          wipe the stack's data first
Environment: DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL, REDIS_URL, DEV_STACK=auto|compose|embedded|external, PORT`;

/** Reads the command line. Throws one Error, in words for the user, for what it does not know. */
export function parseArguments(argv: readonly string[]): DevArguments {
  let command: DevArguments["command"] = "run";
  let json = false;
  let reset = false;
  let stackOnly = false;
  let only: string[] | undefined;
  const scale = new Map<string, number>();
  const rest = argv.flatMap((argument) => {
    const [, flag, value] = /^(--(?:only|scale))=(.*)$/.exec(argument) ?? [];
    return flag === undefined || value === undefined ? [argument] : [flag, value];
  });
  for (let at = 0; at < rest.length; at += 1) {
    const argument = rest[at];
    const value = (): string => {
      at += 1;
      const next = rest[at];
      if (next === undefined || next === "") throw new Error(`${argument} needs a value.\n${usage}`);
      return next;
    };
    if (argument === "status") command = "status";
    else if (argument === "help" || argument === "--help" || argument === "-h") command = "help";
    else if (argument === "--json") json = true;
    else if (argument === "--reset") reset = true;
    else if (argument === "--stack-only") stackOnly = true;
    else if (argument === "--only") only = [...(only ?? []), ...value().split(",").filter(Boolean)];
    else if (argument === "--scale") for (const pair of value().split(",")) scale.set(...parseScale(pair));
    else throw new Error(`"${argument}" is not known here.\n${usage}`);
  }
  return { command, json, reset, stackOnly, only, scale };
}

function parseScale(pair: string): [string, number] {
  const [, name, count] = /^([\w-]+)=(\d+)$/.exec(pair) ?? [];
  const instances = Number(count);
  if (name === undefined || instances < 1 || instances > 20)
    throw new Error(`--scale takes role=count with a count from 1 to 20, not "${pair}".`);
  return [name, instances];
}
