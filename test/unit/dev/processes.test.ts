import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drain } from "../../../dev/run/drain.ts";
import { launchRole } from "../../../dev/run/launch-role.ts";
import { claimState } from "../../../dev/stack/claim-state.ts";
import { launch, untilReady } from "../../../dev/stack/launch.ts";
import { identify, isAlive } from "../../../dev/stack/process-identity.ts";
import { livingProcesses, recordProcess } from "../../../dev/stack/process-records.ts";
import { runCommand } from "../../../dev/stack/run-command.ts";
import { stopRecorded } from "../../../dev/stack/stop-recorded.ts";
import { supervise } from "../../../dev/stack/supervise.ts";
import { until } from "../../support/until.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "taskwire-dev-"));
});
afterEach(async () => {
  const forgotten = await stopRecorded(directory, 0);
  await rm(directory, { recursive: true, force: true });
  expect(forgotten).toEqual([]);
});

const env = { PATH: process.env["PATH"] };
const shell = (name: string, script: string) =>
  launch({
    name,
    command: ["sh", "-c", script],
    cwd: "/",
    env,
    logFile: join(directory, `${name}.log`),
    recordsDirectory: directory,
  });
const living = () => livingProcesses(directory).map((record) => record.name);

test("a pid that is now another process is not taken for the recorded one", () => {
  const self = identify(process.pid);
  expect(self && isAlive(self)).toBe(true);
  expect(isAlive({ pid: process.pid, startedAt: "another boot:1" })).toBe(false);
});

test("a process is recorded while it runs and forgotten when it has ended", async () => {
  const sleeper = shell("sleeper", "exec sleep 60");
  expect(living()).toEqual(["sleeper"]);
  expect(await sleeper.stop()).toBe("stopped");
  expect(await sleeper.exited).toBe("signal SIGTERM");
  await until("its record is gone", () => living().length === 0);
});

test("what a killed run left behind is found by its record and stopped, and a stranger with its pid is left alone", async () => {
  const leftover = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  recordProcess(directory, { name: "leftover", pid: leftover.pid ?? 0, stopSignal: "SIGTERM" });
  await writeFile(
    join(directory, "stranger.json"),
    JSON.stringify({ name: "stranger", pid: process.pid, startedAt: "before", stopSignal: "SIGKILL" }),
  );
  await writeFile(join(directory, "broken.json"), '{"name":');
  expect(await stopRecorded(directory)).toEqual(["leftover"]);
  expect(existsSync(join(directory, "stranger.json"))).toBe(false);
});

test("a process deaf to its signal is killed with its whole group", async () => {
  const deaf = shell("deaf", 'trap "" TERM; sleep 60 & echo $!; while :; do sleep 0.05; done');
  const child = Number(await until("it tells its child", () => deaf.lastLines()[0]));
  expect(await deaf.stop(100)).toBe("killed");
  await until("the child is gone, too", () => identify(child) === undefined);
});

test("a process that ends before it is ready fails its start with its last lines", async () => {
  const broken = shell("broken", "echo the port is taken >&2; exit 3");
  await expect(untilReady(broken, { what: "broken", answers: async () => false })).rejects.toThrow(
    /exit code 3[\s\S]*the port is taken/,
  );
});

test("a command that does not exist fails its start instead of hanging", async () => {
  const absent = launch({
    name: "absent",
    command: ["/no/such/program"],
    cwd: "/",
    env,
    logFile: join(directory, "absent.log"),
    recordsDirectory: directory,
  });
  await expect(untilReady(absent, { what: "absent", answers: async () => false })).rejects.toThrow("could not start");
});

test("a crashed process is started again, its last lines repeated, until it is stopped", async () => {
  const said: string[] = [];
  const supervised = supervise({
    name: "worker",
    start: async () => shell("worker", "echo working; exec sleep 60"),
    say: (lines) => said.push(...lines),
    backoff: { firstMs: 20, maxMs: 40, calmMs: 60_000 },
  });
  await supervised.started;
  for (const crash of [1, 2, 3]) {
    const pid = await until("it runs", () => supervised.pid());
    await until("it has written", async () =>
      (await Bun.file(join(directory, "worker.log")).text()).includes("working"),
    );
    process.kill(pid, "SIGKILL");
    await until(
      `restart ${crash}`,
      () => supervised.restarts() === crash && supervised.pid() !== null && supervised.pid() !== pid,
    );
  }
  expect(said.filter((line) => line === "  working")).toHaveLength(3);
  expect(said.filter((line) => line.startsWith("worker is started again in"))).toEqual([
    "worker is started again in 0.02 s",
    "worker is started again in 0.04 s",
    "worker is started again in 0.04 s",
  ]);
  await supervised.stop(1_000);
  expect(supervised.pid()).toBeNull();
  await until("it is gone for good", () => living().length === 0);
});

test("stopping while a restart is being waited for ends the waiting", async () => {
  const supervised = supervise({
    name: "hopeless",
    start: () => Promise.reject(new Error("no database")),
    say: () => {},
    backoff: { firstMs: 60_000, maxMs: 60_000, calmMs: 1 },
  });
  const began = performance.now();
  await supervised.stop(5_000);
  await expect(supervised.started).rejects.toThrow("stopped before it was ready");
  expect(performance.now() - began).toBeLessThan(2_000);
});

test("a drain stops in reverse order, says whom it waits for, and kills at its deadline", async () => {
  const ended: string[] = [];
  const said: string[] = [];
  const run = (name: string, script: string) => {
    const running = shell(name, script);
    void running.exited.then(() => ended.push(name));
    return supervise({ name, running, start: () => Promise.reject(new Error("never")), say: () => {} });
  };
  const processes = [
    run("first", "exec sleep 60"),
    run("deaf", 'trap "" TERM; echo deaf; while :; do sleep 0.05; done'),
    run("last", "exec sleep 60"),
  ];
  await until("the deaf one is deaf", async () =>
    (await Bun.file(join(directory, "deaf.log")).text()).includes("deaf"),
  );
  await drain(processes, { withinMs: 1_300, say: (line) => said.push(line) });
  expect(ended).toEqual(["last", "first", "deaf"]);
  expect(said).toEqual(["waiting for deaf", "deaf did not end in time and was killed"]);
});

test("a role's lines are printed whole, from both of its outputs, and its command may begin with a variable", async () => {
  const printed: string[] = [];
  const role = launchRole({
    label: "role",
    command: `GREETING=hello sh -c 'printf "%s one\\ntwo" $GREETING; echo three >&2'`,
    cwd: "/",
    env,
    recordsDirectory: directory,
    print: (line) => printed.push(line),
  });
  expect(await role.exited).toBe("exit code 0");
  expect(printed.toSorted()).toEqual(["hello one", "three", "two"]);
  expect(role.lastLines()).toEqual(printed);
});

test("a command given up is ended together with what it started", async () => {
  const stop = new AbortController();
  const lines: string[] = [];
  const running = runCommand({
    command: ["sh", "-c", "sleep 60 & echo $!; wait"],
    cwd: "/",
    env,
    signal: stop.signal,
    onLine: (line) => lines.push(line),
  });
  const child = Number(await until("its child is known", () => lines[0]));
  stop.abort();
  expect((await running).ended).toBe("SIGTERM");
  await until("the child is gone", () => identify(child) === undefined);
});

test("a state directory has one living holder, and that of a dead one is taken over", async () => {
  const script = `const { claimState } = await import(${JSON.stringify(join(import.meta.dir, "../../../dev/stack/claim-state.ts"))});
    console.log(JSON.stringify(claimState(${JSON.stringify(directory)}))); setInterval(() => {}, 1000);`;
  const other = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  await until("the other holds it", () => existsSync(join(directory, "owner.json")));
  expect(claimState(directory)).toEqual({ heldBy: other.pid });
  other.kill("SIGKILL");
  await other.exited;
  const mine = claimState(directory);
  expect("release" in mine).toBe(true);
  expect(claimState(directory)).toEqual({ heldBy: process.pid });
  if ("release" in mine) mine.release();
  expect(existsSync(join(directory, "owner.json"))).toBe(false);
});

test("what runs ends with its runner, also when that is killed with -9; after a release it goes on", async () => {
  const owner = join(directory, "owner.ts");
  const root = join(import.meta.dir, "../../..");
  await writeFile(
    owner,
    `import { openDeathWatch } from "${root}/dev/stack/death-watch.ts";
     const watch = openDeathWatch("${root}", ["${directory}"]);
     if (process.argv[2] === "release") watch.release();
     setInterval(() => {}, 1_000); console.log("watching");`,
  );
  const left = shell("left", "exec sleep 60");
  const runner = async (...argv: readonly string[]) => {
    const child = Bun.spawn([process.execPath, owner, ...argv], { stdout: "pipe" });
    for await (const _ of child.stdout) break;
    return child;
  };
  const released = await runner("release");
  released.kill("SIGKILL");
  await released.exited;
  await Bun.sleep(500); // time enough for a watch that would not let go
  expect(living()).toEqual(["left"]);
  const killed = await runner();
  killed.kill("SIGKILL");
  expect(await left.exited).toBe("signal SIGTERM");
});
