import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signIn } from "../support/client.ts";
import { findPython, fuzzer, lacks } from "../support/python.ts";
import { until } from "../support/until.ts";
import { gateway } from "./everyday-system.ts";

const python = await findPython(fuzzer);
const isLong = process.env["LONG_TESTS"] === "1";
const seconds = isLong ? 900 : 40;
const settings = join(import.meta.dir, "../support/schemathesis");
/** A stream never ends, a poll waits as long as it is told, and signing out would end the rest. */
const leftOut = ["openStream", "pollChanges", "deleteSession"];

test.skipIf(lacks(python))(
  `Schemathesis finds no answer that the document does not promise${python.why}`,
  async () => {
    if (python.path === null) throw new Error(`REQUIRE_ALL=1 and${python.why}`);
    const operations = await until(
      "the document has every role",
      async () => {
        const document = (await (await fetch(`${gateway}/openapi.json`)).json()) as Record<string, unknown> & {
          paths: Record<string, object>;
        };
        return (
          document["x-unavailable"] === undefined &&
          Object.values(document.paths).flatMap((path) => Object.keys(path)).length
        );
      },
      { timeoutMs: 30_000 },
    );
    const { token } = await signIn(gateway, `fuzz-${crypto.randomUUID()}`);
    // The same cases each time in the suite: what is drawn by chance builds on what answers have brought, so it is for
    // a long run, or FUZZ_SEED.
    const chosen = process.env["FUZZ_SEED"];
    const seed = chosen ?? (isLong ? String(Math.floor(Math.random() * 1e9)) : "1");
    // It leaves caches where it runs.
    const folder = await mkdtemp(join(tmpdir(), "taskwire-fuzz-"));
    try {
      const entry = [python.path, "-c", "from schemathesis.cli import schemathesis; schemathesis()"];
      const where = [
        "--config-file",
        join(settings, "schemathesis.toml"),
        "--no-color",
        "run",
        `${gateway}/openapi.json`,
      ];
      const what = ["--header", `Authorization: Bearer ${token}`, "--checks", "all", "--seed", seed];
      const less = leftOut.flatMap((id) => ["--exclude-operation-id", id]);
      const long = isLong
        ? ["--max-examples", "100"]
        : ["--max-examples", "4", "--phases", `examples,coverage${chosen === undefined ? "" : ",fuzzing"}`];
      const child = Bun.spawn([...entry, ...where, ...what, ...less, ...long, "--max-time", String(seconds)], {
        cwd: folder,
        env: {
          ...process.env,
          PYTHONPATH: settings,
          SCHEMATHESIS_HOOKS: "hooks",
          PYTHONDONTWRITEBYTECODE: "1",
          NO_PROXY: "*",
        },
        stdout: "pipe",
        stderr: "pipe",
        timeout: (seconds + 60) * 1000,
      });
      const [out, errors, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      const said = out.slice(out.indexOf("= FAILURES =")).slice(0, 20_000);
      if (code !== 0)
        throw new Error(`Schemathesis ended with ${code}; FUZZ_SEED=${seed} repeats it\n${said}\n${errors}`);
      expect(out).toContain(`${operations - leftOut.length} selected / ${operations} total`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  (seconds + 120) * 1000,
);
