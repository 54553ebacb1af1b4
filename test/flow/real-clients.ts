import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { shellLines } from "../../dev/redpanda/pages/examine-pages.ts";
import { direct } from "../../shared/http/proxy-for.ts";
import { deadLetterTopic, deadLetterTopics, groupNames, topicNames } from "../../shared/messages/topics.ts";
import { findDebianProgram, type Program } from "../support/debian-program.ts";
import { until } from "../support/until.ts";
import { signIn } from "../support/client.ts";
import { gateway, system } from "./everyday-system.ts";

// The lines of redpanda/README.md, as they stand there, by the clients that other people use.
const page = readFileSync(join(import.meta.dir, "../../redpanda/README.md"), "utf8");
const linesWith = (word: string): readonly string[] =>
  shellLines(page).filter((line) => line.split(" ").includes(word) && !line.startsWith("export "));

const kcat = findDebianProgram("kcat", { at: "usr/bin/kcat", packages: ["kcat", "librdkafka1", "libyajl2"] });
if (kcat === null && process.env["REQUIRE_ALL"] === "1") throw new Error("needs kcat on PATH, or apt-get");
const rpkPath = process.env["RPK"] ?? Bun.which("rpk");

/** Before every topic and group of this system stands its prefix; the page has none. */
function run(line: string, { program, env }: Program): Promise<Readonly<{ code: number; out: string }>> {
  const names = [...topicNames, ...deadLetterTopics, ...groupNames].toSorted((a, b) => b.length - a.length);
  const prefixed = line.replaceAll(
    new RegExp(`(?<![\\w-])(${names.join("|")})(?![\\w-])`, "g"),
    `${system.env["KAFKA_PREFIX"]}$1`,
  );
  const child = Bun.spawn(["sh", "-c", prefixed.replaceAll("127.0.0.1:9092", brokers()).replaceAll("some-key", key)], {
    env: { ...process.env, ...env, PATH: `${dirname(program)}:${process.env["PATH"]}` },
    stdout: "pipe",
    stderr: "pipe",
    timeout: 20_000,
  });
  return Promise.all([child.exited, new Response(child.stdout).text(), new Response(child.stderr).text()]).then(
    ([code, out, err]) => ({ code, out: code === 0 ? out : `${out}${err}` }),
  );
}

const brokers = (): string => system.env["KAFKA_BROKERS"] ?? "";
const key = crypto.randomUUID();

describe.skipIf(kcat === null)("kcat (skipped where it is neither on the PATH nor to be had from Debian)", () => {
  const program = kcat ?? { program: "", env: {} };
  const [list = "", produce = "", consume = ""] = linesWith("kcat");

  test("lists every topic", async () => {
    const { code, out } = await run(list, program);
    expect(code).toBe(0);
    for (const name of [...topicNames, ...deadLetterTopics])
      expect(out).toContain(`"${system.env["KAFKA_PREFIX"]}${name}" with `);
  });

  test("sends what nobody can read, and finds it in the dead letters as it was, with what happened to it", async () => {
    expect(await run(produce, program)).toEqual({ code: 0, out: "" });
    const found = await until(
      "the dead letter",
      async () => (await run(consume, program)).out.split("\n").findIndex((line) => line.startsWith(key)) >= 0,
      { timeoutMs: 60_000, everyMs: 300 },
    ).then(() => run(consume, program));
    const lines = found.out.split("\n");
    const at = lines.findIndex((line) => line.startsWith(key));
    const letter = lines.slice(at).join("\n");
    for (const header of ["ce_type=CreateOccurrence", "x-group=task-service", "x-error-class=invalid", "x-attempts="])
      expect(letter).toContain(header);
    expect(letter).toContain("\nnot a record\n");
    expect(await system.ops("dlq", "ls", "--key", key)).toContain("task-service");
    await system.ops("dlq", "drop", "--key", key, "--reason", "a test's own");
  }, 90_000);

  test("reads the dead letters as a group of its own, beside the product's", async () => {
    const group = `${system.env["KAFKA_PREFIX"]}readers`;
    const { code, out } = await run(
      `kcat -b 127.0.0.1:9092 -G ${group} -X auto.offset.reset=earliest -c 1 -f '%k\\n' ${deadLetterTopic("task-service")}`,
      program,
    );
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("-") });
  }, 30_000);
});

describe.skipIf(rpkPath === null)("rpk (skipped where it is neither on the PATH nor in RPK)", () => {
  let registry: Bun.Server<undefined>;
  beforeAll(async () => {
    const client = await signIn(gateway, `rpk-${crypto.randomUUID()}`);
    for (const title of ["Bread", "Milk", "Eggs"]) await client.call("POST", "/v1/tasks", { title });
    registry = serveRegistry();
  });
  afterAll(() => registry?.stop(true));

  test.each(linesWith("rpk"))(
    "%s",
    async (line) => {
      const env = { RPK_BROKERS: brokers(), RPK_REGISTRY_HOSTS: `127.0.0.1:${registry.port}` };
      const shown = await until(`what ${line} shows`, async () => {
        const { code, out } = await run(line, { program: rpkPath ?? "", env });
        return /\S/.test(out) ? { code, out } : null;
      });
      expect([shown.code, shown.out]).toEqual([0, shown.out]);
      if (line.includes("--use-schema-registry")) expect(shown.out).toContain('\\"title\\":\\"');
    },
    30_000,
  );
});

/** rpk takes a registry by host and port alone; the embedded one answers below a path. */
const serveRegistry = (): Bun.Server<undefined> =>
  Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const url = `${system.env["SCHEMA_REGISTRY_URL"]}${pathname}${search}`;
      const { status, headers, body } = await fetch(url, { ...direct });
      return new Response(body, { status, headers: { "content-type": headers.get("content-type") ?? "" } });
    },
  });
