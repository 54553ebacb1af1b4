import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "../../..");

async function start(env: Readonly<Record<string, string>> = {}) {
  const child = Bun.spawn([process.execPath, "--no-env-file", "test/support/slow-role.ts"], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", PORT: "0", ...env },
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes('"starting"')) said += (await reader.read()).value ?? "";
  reader.releaseLock();
  const url = /"url":"([^"]+)"/.exec(said)?.[1] ?? "";
  while ((await fetch(`${url}?ms=0`)).status !== 200);
  return { child, url };
}

test("a slow request that runs at SIGTERM gets its answer, and the role ends cleanly", async () => {
  const { child, url } = await start();
  const running = fetch(`${url}?ms=700`);
  await Bun.sleep(200);
  child.kill("SIGTERM");
  const answer = await running;
  expect([answer.status, await answer.text()]).toEqual([200, "done"]);
  expect(await child.exited).toBe(0);
});

test("a request that never ends does not keep the role from stopping within its time", async () => {
  const { child, url } = await start({ DRAIN_SECONDS: "1" });
  const running = fetch(`${url}?ms=60000`).catch(() => "cut off");
  await Bun.sleep(200);
  const began = performance.now();
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(performance.now() - began).toBeLessThan(3_000);
  expect(await running).toBe("cut off");
});

test("a role that is told to stop while it loads its modules begins nothing and ends cleanly", async () => {
  const child = Bun.spawn([process.execPath, "--no-env-file", "test/support/loading-role.ts"], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", PORT: "0" },
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = (await reader.read()).value ?? "";
  child.kill("SIGTERM");
  for (let more = await reader.read(); !more.done; more = await reader.read()) said += more.value;
  expect([await child.exited, said.includes('"starting"')]).toEqual([0, false]);
});

test("every role that serves waits for its requests beside its other work", async () => {
  const files = [...new Bun.Glob("workers/*/main.ts").scanSync(root)];
  const texts = await Promise.all(files.map((file) => Bun.file(join(root, file)).text()));
  const serving = texts.filter((text) => text.includes("role.serve("));
  expect(serving.length).toBeGreaterThan(5); // the scan sees roles at all
  for (const text of serving)
    expect(text).toMatch(
      /const served = role\.serve\([^]*Promise\.all\(\[[^]*\bserved\b|Promise\.all\(\[[^]*role\.serve\(/,
    );
});
