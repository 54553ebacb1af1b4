import { cp, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { runCommand } from "../../stack/run-command.ts";
import { readDockerfile, type CopyStep, type ImageStage } from "./read-dockerfile.ts";

export type ImageLayout = Readonly<{
  /** The folder that stands for `/`. */
  root: string;
  stage: ImageStage;
}>;

/**
 * Does what the Dockerfile says without Docker: every stage is a folder below `into`, which gets the copies and runs
 * the commands, with this Bun as the one of the base images. Throws where a copy finds nothing or a command fails.
 */
export async function layOutImage({
  text,
  checkout,
  into,
}: Readonly<{ text: string; checkout: string; into: string }>): Promise<ImageLayout> {
  const { stages } = readDockerfile(text);
  for (const [index, stage] of stages.entries()) await layOut(stage, rootOf(index));
  const stage = stages.at(-1);
  if (stage === undefined) throw new Error("the Dockerfile has no stage");
  return { root: rootOf(stages.length - 1), stage };

  function rootOf(index: number): string {
    return join(into, `stage-${index}`);
  }

  async function layOut({ steps, workdir }: ImageStage, root: string): Promise<void> {
    const folder = join(root, workdir);
    await mkdir(folder, { recursive: true });
    await mkdir(join(root, "usr/local/bin"), { recursive: true });
    await cp(process.execPath, join(root, "usr/local/bin/bun"));
    for (const step of steps)
      if ("run" in step) await run(step.run ?? [], folder);
      else await copy(step, folder);
  }

  async function copy({ from, sources, to }: CopyStep, folder: string): Promise<void> {
    const source = from === null ? checkout : rootOf(stages.findIndex(({ name }) => name === from));
    for (const path of sources)
      await cp(join(source, path), to.endsWith("/") ? join(folder, to, basename(path)) : join(folder, to), {
        recursive: true,
        verbatimSymlinks: true,
      });
  }
}

async function run([program = "", ...args]: readonly string[], folder: string): Promise<void> {
  const command = [program === "bun" ? process.execPath : program, ...args] as const;
  const { ended, output } = await runCommand({ command, cwd: folder, env: process.env });
  if (ended !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${ended}:\n${output}`);
}
