import { expect, test } from "bun:test";
import { findLaunchers, type Ancestor } from "../../../dev/run/launchers.ts";

/** The commands from this process upwards; pids of this process stand for all, so that each is alive. */
function chain(...commands: readonly string[]) {
  const asked: string[] = [];
  const read = (pid: number): Ancestor | null => {
    const command = commands[asked.length];
    if (command === undefined) return null;
    asked.push(command);
    return { pid, parent: process.pid, command };
  };
  return findLaunchers(process.pid, read).length;
}

const cases: readonly (readonly [what: string, counted: number, commands: readonly string[]])[] = [
  ["npx, its shell and bun run", 3, ["bun run dev", "sh -c 'bun' run dev", "npm exec bun@1.4.5 run dev", "-bash"]],
  ["bun run alone, from a person's shell", 1, ["bun run dev", "-bash", "sshd"]],
  [
    "npm run with node as the command line",
    2,
    ["sh -c bun dev/main.ts", "/usr/bin/node /usr/lib/npm-cli.js run dev", "bash"],
  ],
  [
    "a script's shell around npx is not one",
    2,
    ["bun run dev", "npm exec bun run dev", "sh -c npx bun run dev & wait"],
  ],
  ["a supervisor is not one", 1, ["/opt/bun/bin/bun run dev", "/sbin/init"]],
  ["started by hand", 0, ["bash"]],
  ["a shell alone", 0, ["sh -c bun dev/main.ts", "/sbin/init"]],
];
for (const [what, counted, commands] of cases)
  test(`those that started it: ${what}`, () => {
    expect(chain(...commands)).toBe(counted);
  });
