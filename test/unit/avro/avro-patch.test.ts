import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import avro from "avsc";
import { assertPatched } from "../../../shared/avro/assert-patched.ts";

const folder = mkdtempSync(join(tmpdir(), "avsc-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** avsc as it is installed, but for one part of the patch. */
async function avscWithout(name: string, file: string, from: string, to: string): Promise<typeof avro> {
  const copy = join(folder, name);
  cpSync(join(import.meta.dir, "../../../node_modules/avsc"), copy, { recursive: true, dereference: true });
  const path = join(copy, file);
  const source = readFileSync(path, "utf8");
  expect(source).toContain(from);
  writeFileSync(path, source.replace(from, to));
  const loaded: { default: typeof avro } = await import(copy);
  return loaded.default;
}

test("the avsc that is installed is patched", () => {
  expect(() => assertPatched(avro)).not.toThrow();
});

test.each([
  ["blocks", "lib/types.js", "if (n < 0 || n > left)", "if (false)"],
  ["text", "lib/utils.js", "if (s.indexOf('\\ufffd') >= 0", "if (false"],
  ["numbers", "lib/types.js", "n <= 9007199254740991", "n <= 9007199254740990"],
  ["enums", "lib/types.js", "this._indices = Object.create(null)", "this._indices = {}"],
])("an avsc without the patch's part about %s is refused", async (name, file, from, to) => {
  const other = await avscWithout(name, file, from, to);
  expect(() => assertPatched(other)).toThrow("avsc is not patched");
});
