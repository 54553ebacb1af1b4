import { DockerfileParser, type Instruction } from "dockerfile-ast";

export type CopyStep = Readonly<{ from: string | null; sources: readonly string[]; to: string }>;
type ImageStep = CopyStep | Readonly<{ run: readonly string[] | null }>;
export type ImageStage = Readonly<{
  name: string | null;
  /** The image it begins with, as it is written. */
  base: string;
  /** COPY and RUN, in their order; of RUN the words of its exec form, `null` for a line for a shell. */
  steps: readonly ImageStep[];
  workdir: string;
  env: Readonly<Record<string, string>>;
  user: string | null;
  stopSignal: string | null;
  /** `null` where there is none, or it is for a shell. */
  entrypoint: readonly string[] | null;
}>;

/** The stages of a Dockerfile, as far as one is used here; what else it says is in `keywords`. */
export function readDockerfile(
  text: string,
): Readonly<{ stages: readonly ImageStage[]; keywords: ReadonlySet<string> }> {
  const instructions = DockerfileParser.parse(text).getInstructions();
  const starts = instructions.flatMap((instruction, index) => (instruction.getKeyword() === "FROM" ? [index] : []));
  return {
    stages: starts.map((start, index) => readStage(instructions.slice(start, starts[index + 1]))),
    keywords: new Set(instructions.map((instruction) => instruction.getKeyword())),
  };
}

function readStage(instructions: readonly Instruction[]): ImageStage {
  const last = (keyword: string) => instructions.findLast((instruction) => instruction.getKeyword() === keyword);
  const [base = "", as = "", name = ""] = words(instructions[0]);
  const env = instructions.filter((instruction) => instruction.getKeyword() === "ENV").flatMap(words);
  const entrypoint = last("ENTRYPOINT");
  return {
    base,
    name: as.toUpperCase() === "AS" ? name : null,
    steps: instructions.flatMap((instruction): readonly ImageStep[] => {
      if (instruction.getKeyword() === "RUN") return [{ run: execForm(instruction) }];
      return instruction.getKeyword() === "COPY" ? [readCopy(instruction)] : [];
    }),
    workdir: words(last("WORKDIR"))[0] ?? "/",
    env: Object.fromEntries(env.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)])),
    user: words(last("USER"))[0] ?? null,
    stopSignal: words(last("STOPSIGNAL"))[0] ?? null,
    entrypoint: entrypoint === undefined ? null : execForm(entrypoint),
  };
}

function readCopy(instruction: Instruction): CopyStep {
  const flag = /--from=(\S+)/.exec(instruction.getTextContent());
  const sources = words(instruction);
  return { from: flag?.[1] ?? null, sources: sources.slice(0, -1), to: sources.at(-1) ?? "" };
}

function words(instruction: Instruction | undefined): readonly string[] {
  return instruction?.getArguments().map((argument) => argument.getValue()) ?? [];
}

function execForm(instruction: Instruction): readonly string[] | null {
  try {
    const value: unknown = JSON.parse(instruction.getArgumentsContent() ?? "");
    return Array.isArray(value) ? value.map(String) : null;
  } catch {
    // Not JSON: a line for a shell.
    return null;
  }
}
