import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "postgres";

/** Throws when a setting would make commits faster than durable ones: such figures mean nothing. */
export async function assertDurable(sql: Sql): Promise<void> {
  for (const name of ["fsync", "synchronous_commit", "full_page_writes"]) {
    const [row] = await sql.unsafe<{ value: string }[]>(`select current_setting('${name}') as value`);
    if (row?.value !== "on") throw new Error(`${name} is ${row?.value}: a benchmark without durability means nothing`);
  }
}

/**
 * The share of all cores others use while nothing of ours runs, 0 to 1; NaN where the machine does not say (not Linux).
 */
export async function foreignLoad(ms = 500): Promise<number> {
  const look = () => {
    try {
      const times =
        readFileSync("/proc/stat", "utf8").split("\n", 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
      const idle = (times[3] ?? 0) + (times[4] ?? 0);
      return { idle, all: times.slice(0, 8).reduce((sum, time) => sum + time, 0) };
    } catch {
      // No /proc: nothing to compare with.
      return { idle: Number.NaN, all: Number.NaN };
    }
  };
  const before = look();
  await sleep(ms);
  const after = look();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

/**
 * The CPU seconds a process and all below it have used so far, ended ones included; NaN where the machine does not say.
 * Unlike a rate it does not depend on how busy the others keep the machine.
 */
export function cpuSeconds(root: number): number {
  try {
    const processes = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(readStat)
      .filter((stat) => stat !== null);
    const tree = new Set([root]);
    // Parents come before their children often, not always: look until nobody new is found.
    for (let size = 0; size !== tree.size;) {
      size = tree.size;
      for (const { pid, parent } of processes) if (tree.has(parent)) tree.add(pid);
    }
    const ticks = processes.filter(({ pid }) => tree.has(pid)).reduce((sum, stat) => sum + stat.ticks, 0);
    return ticks > 0 ? ticks / 100 : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/**
 * The process that listens on a TCP port of this machine, the first of its family; `null` where there is none or the
 * machine does not say.
 */
export function listenerOf(port: number): number | null {
  const sockets = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => listeningSockets(file, port)));
  const pids = list("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
  return pids.find((pid) => list(`/proc/${pid}/fd`).some((fd) => sockets.has(linkOf(`/proc/${pid}/fd/${fd}`)))) ?? null;
}

/** proc_net_tcp(5): field 2 is the local address, 4 the state (0A listens), 10 the inode. */
function listeningSockets(file: string, port: number): readonly string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(wanted) === true && fields[3] === "0A")
      .map((fields) => `socket:[${fields[9]}]`);
  } catch {
    // Not Linux.
    return [];
  }
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Ended meanwhile, or another user's.
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed meanwhile.
    return "";
  }
}

export function parentOf(pid: number): number {
  return readStat(String(pid))?.parent ?? Number.NaN;
}

/**
 * proc(5): fields 4 (parent) and 14 to 17 (user and system time, then those of children that have ended), in 1/100 s.
 */
function readStat(pid: string): Readonly<{ pid: number; parent: number; ticks: number }> | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { pid: Number(pid), parent: Number(fields[1]), ticks };
  } catch {
    // It ended meanwhile.
    return null;
  }
}
