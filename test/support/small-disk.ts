import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeSync, openSync, closeSync } from "node:fs";
import { join } from "node:path";

/** A file system of its own that can be filled to the last byte. */
export type SmallDisk = Disposable & Readonly<{ path: string; fill: () => void; free: () => void }>;

/**
 * `null` where this process may not mount one: that needs root. Everybody may enter it: Postgres is never run as root.
 */
export function openSmallDisk(megabytes: number): SmallDisk | null {
  const path = mkdtempSync("/var/tmp/taskwire-disk-");
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0755`, "tmpfs", path]).status === 0;
  if (!mounted) {
    rmSync(path, { recursive: true, force: true });
    return null;
  }
  chmodSync(path, 0o755);
  const ballast = join(path, "ballast");
  const free = () => rmSync(ballast, { force: true });
  return {
    path,
    fill: () => {
      const file = openSync(ballast, "a");
      try {
        for (const size of [1 << 20, 4_096]) while (writes(file, Buffer.alloc(size)));
      } finally {
        closeSync(file);
      }
    },
    free,
    [Symbol.dispose]: () => {
      spawnSync("umount", ["-l", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** False once there is no room for it. */
function writes(file: number, bytes: Uint8Array): boolean {
  try {
    return writeSync(file, bytes) === bytes.length;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}
