import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { identify, type ProcessIdentity } from "../stack/process-identity.ts";

/** One process on the way from this one up to the first: its parent, and its command line as `ps` shows it. */
export type Ancestor = Readonly<{ pid: number; parent: number; command: string }>;

/** Programs that start a script of package.json and wait for it, by name or as a script of Node's. */
const runner = /^(?:\S*node(?:\s+-\S+)*\s+)?(?:\S*\/)?(?:npm|npx|pnpm|yarn|bunx?)(?:-cli)?(?:\.exe|\.c?js)?(?:\s|$)/;
/** What a runner puts between itself and the script: a shell that runs one command. */
const shell = /^(?:\S*\/)?(?:sh|bash|dash|zsh|busybox)\s+(?:sh\s+)?-c\s/;

/**
 * The commands that started this one and wait for it: `npx`, its shell and `bun run`, the nearest first. `npx` does not
 * pass a signal on (npm 11: it ends, its shell stays), so the end of any of them is the wish to stop. A person's own
 * shell, and a supervisor, are not among them: what they start in the background may outlive them.
 */
export function findLaunchers(from: number = process.ppid, read: (pid: number) => Ancestor | null = readAncestor) {
  const chain: Ancestor[] = [];
  for (let pid = from; pid > 1 && chain.length < 12;) {
    const ancestor = read(pid);
    if (ancestor === null || !(runner.test(ancestor.command) || shell.test(ancestor.command))) break;
    chain.push(ancestor);
    pid = ancestor.parent;
  }
  // A shell above the topmost runner is a person's or a script's.
  const last = chain.findLastIndex(({ command }) => runner.test(command));
  return chain
    .slice(0, last + 1)
    .map(({ pid }) => identify(pid))
    .filter((identity): identity is ProcessIdentity => identity !== undefined);
}

function readAncestor(pid: number): Ancestor | null {
  if (process.platform !== "linux") return readByPs(pid);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    return { pid, parent, command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() };
  } catch {
    return null; // it has ended, or is another user's
  }
}

function readByPs(pid: number): Ancestor | null {
  const { stdout } = spawnSync("ps", ["-o", "ppid=,command=", "-p", String(pid)], { encoding: "utf8" });
  const [, parent, command] = /^\s*(\d+)\s+(.*)/.exec(stdout) ?? [];
  return parent === undefined || command === undefined ? null : { pid, parent: Number(parent), command };
}
