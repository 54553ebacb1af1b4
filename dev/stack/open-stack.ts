import { askDocker, openComposeStack } from "./compose.ts";
import { openEmbeddedStack, type EmbeddedOptions } from "./embedded.ts";
import { type GivenUrls, partNames, readGivenUrls, type Stack, urlVariables } from "./stack.ts";

type OpenStackOptions = Omit<EmbeddedOptions, "given"> &
  Readonly<{ env: Readonly<Record<string, string | undefined>> }>;

/** Which stack, and why, in words for the banner. */
type StackChoice = Readonly<{ kind: Stack["kind"]; why: string; given: GivenUrls }>;

/**
 * DEV_STACK decides when it is set; else what the environment gives is used, and the rest runs in containers where a
 * Docker engine answers and embedded where none does. Throws when DEV_STACK=external leaves something open.
 */
export function chooseStack(
  env: Readonly<Record<string, string | undefined>>,
  docker: () => ReturnType<typeof askDocker> = askDocker,
): StackChoice {
  const given = readGivenUrls(env);
  const missing = partNames.filter((name) => given[name] === undefined);
  const fromEnvironment = partNames.filter((name) => given[name] !== undefined).map((name) => urlVariables[name]);
  const besides = fromEnvironment.length === 0 ? "" : `; ${fromEnvironment.join(", ")} from the environment`;
  const wanted = env["DEV_STACK"] || "auto";
  switch (wanted) {
    case "external":
      if (missing.length === 0) return { kind: "external", why: "DEV_STACK=external", given };
      throw new Error(`DEV_STACK=external, but ${missing.map((name) => urlVariables[name]).join(", ")} not set.`);
    case "compose": {
      const answer = docker();
      if ("reason" in answer)
        throw new Error(`DEV_STACK=compose, but ${answer.reason}. Start Docker, or unset DEV_STACK.`);
      return { kind: "compose", why: `DEV_STACK=compose${besides}`, given };
    }
    case "embedded":
      return { kind: "embedded", why: `DEV_STACK=embedded${besides}`, given };
    case "auto": {
      if (missing.length === 0) return { kind: "external", why: "all four addresses come from the environment", given };
      const answer = docker();
      return "version" in answer
        ? { kind: "compose", why: `Docker ${answer.version} answers${besides}`, given }
        : { kind: "embedded", why: `${answer.reason}${besides}`, given };
    }
    default:
      throw new Error(`DEV_STACK must be auto, compose, embedded or external, not "${wanted}".`);
  }
}

/** Chooses a stack, says what was chosen and why, and opens it. */
export async function openStack(options: OpenStackOptions): Promise<Stack> {
  const choice = chooseStack(options.env);
  options.say(`stack: ${choice.kind}, because ${choice.why}`);
  const { given } = choice;
  switch (choice.kind) {
    case "compose":
      return { ...choice, ...(await openComposeStack({ ...options, given })) };
    case "embedded":
      return { ...choice, ...(await openEmbeddedStack({ ...options, given })) };
    case "external":
      return { ...choice, ...openExternalStack(given) };
  }
}

function openExternalStack(given: GivenUrls): Omit<Stack, "why" | "kind"> {
  const { postgres = "", kafka = "", registry = "", redis = "" } = given;
  return {
    urls: { databaseUrl: postgres, kafkaBrokers: kafka, schemaRegistryUrl: registry, redisUrl: redis },
    parts: () => [],
    extras: [],
    stop: async () => {},
  };
}
