import { expect, test } from "bun:test";
import { examples } from "../../workers/ui-gateway/document/reference/examples.ts";
import { until } from "../support/until.ts";
import { gateway } from "./everyday-system.ts";

const shell = Bun.which("curl") === null ? null : Bun.which("sh");
if (shell === null && process.env["REQUIRE_ALL"] === "1") throw new Error("needs sh and curl");

test.skipIf(shell === null)("the examples of the reference do as they are printed, in their order", async () => {
  // The examples sign in by one name; a system of their own has nobody of it yet.
  const set: Record<string, string> = { api: gateway };
  for (const { operationId, curl, status, keeps } of examples) {
    // What follows a write (a series, a task that reminders know) is there within a second or so.
    const answer = await until(
      `${operationId} answers ${status}`,
      async () => {
        const found = await run(`${curl} -w '\n%{http_code}'`, set);
        return found.status === status ? found : null;
      },
      { timeoutMs: 20_000 },
    );
    if (operationId === "createSession") set["token"] = String(answer.body["token"]);
    if (keeps !== undefined) set[keeps] = String(answer.body["id"]);
    expect(answer.status).toBe(status);
  }
});

async function run(command: string, set: Readonly<Record<string, string>>) {
  const child = Bun.spawn([shell ?? "sh", "-c", command], {
    env: { PATH: process.env["PATH"] ?? "", NO_PROXY: "*", ...set },
    stdout: "pipe",
    stderr: "pipe",
    timeout: 20_000,
  });
  const lines = (await new Response(child.stdout).text()).split("\n");
  const status = Number(lines.pop());
  const text = lines.join("\n");
  return { status, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
}
