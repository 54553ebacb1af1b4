import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";

/** True when something accepts connections on 127.0.0.1:`port`. */
export function isListening(port: number, timeoutMs = 500): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** True when a server could listen on 127.0.0.1:`port` now. A listener on 0.0.0.0 counts as taken on every system. */
export async function isFree(port: number): Promise<boolean> {
  if (await isListening(port)) return false;
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
  });
}

export type PortClaims = Readonly<{
  /**
   * The first usable port of: those `preferred`, in order, then the 200 after the last of them. It is claimed for this
   * process, so another checkout that starts at the same moment takes a different one before either listens.
   */
  choose: (preferred: readonly number[]) => Promise<number>;
  /** Gives every claim back. */
  release: () => void;
}>;

/** Opens this process's claims, kept as files in `directory` and void as soon as the process that made them is gone. */
export function openPortClaims(directory: string = join(tmpdir(), "taskwire-ports")): PortClaims {
  const claimed = new Set<number>();
  shareDirectory(directory);
  const claim = (port: number): boolean => {
    const path = join(directory, String(port));
    if (claimed.has(port) || holderLives(path)) return false;
    try {
      rmSync(path, { force: true });
      writeFileSync(path, JSON.stringify(identify(process.pid)), { flag: "wx", mode: 0o644 });
    } catch (error) {
      // Another user's stale file cannot be removed here; the port itself is tried instead.
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    }
    claimed.add(port);
    return true;
  };
  return {
    choose: async (preferred) => {
      const last = preferred.at(-1) ?? 20_000;
      const candidates = [...preferred, ...Array.from({ length: 200 }, (_, index) => last + 1 + index)];
      for (const port of candidates) if (port < 65_536 && (await isFree(port)) && claim(port)) return port;
      throw new Error(`No free port among ${preferred.join(", ")} and the 200 after ${last}; stop what holds them.`);
    },
    release: () => {
      for (const port of claimed) rmSync(join(directory, String(port)), { force: true });
      claimed.clear();
    },
  };
}

/** Every user of the machine may claim, and remove only their own, like /tmp itself. */
function shareDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true });
  try {
    chmodSync(directory, 0o1777);
  } catch {
    // another user made it, and has done this
  }
}

function holderLives(path: string): boolean {
  try {
    return isAlive(JSON.parse(readFileSync(path, "utf8")) as ProcessIdentity);
  } catch {
    return false; // no claim, or one cut short: free
  }
}
