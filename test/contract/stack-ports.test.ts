import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFree, isListening, openPortClaims } from "../../dev/stack/ports.ts";

let directory = "";
const servers: Server[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "taskwire-ports-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

function listen(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    servers.push(server);
    server.listen(0, host, () => {
      const address = server.address();
      if (address !== null && typeof address === "object") resolve(address.port);
    });
  });
}

test.each(["127.0.0.1", "0.0.0.0"])("a port taken on %s is passed over", async (host) => {
  const port = await listen(host);
  expect(await isFree(port)).toBe(false);
  expect(await isListening(port)).toBe(true);
  const claims = openPortClaims(directory);
  expect(await claims.choose([port])).toBeGreaterThan(port);
  claims.release();
});

test("two runs that start together get different ports before either listens", async () => {
  const [one, two] = [openPortClaims(directory), openPortClaims(directory)];
  const usual = await openPortClaims(directory).choose([43_000]);
  const ports = [await one.choose([usual]), await two.choose([usual]), await one.choose([usual])];
  expect(new Set([usual, ...ports]).size).toBe(4);
  one.release();
});

test("the claim of a process that is gone is void", async () => {
  const probe = openPortClaims(directory);
  const port = await probe.choose([44_000]);
  probe.release();
  await writeFile(join(directory, String(port)), JSON.stringify({ pid: process.pid, startedAt: "before" }));
  const claims = openPortClaims(directory);
  expect(await claims.choose([port])).toBe(port);
  claims.release();
});
