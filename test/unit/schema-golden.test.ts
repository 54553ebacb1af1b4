import { expect, test } from "bun:test";
import { join } from "node:path";
import { compileDecoder } from "../../shared/schema-decode.ts";
import { compileEncoder } from "../../shared/schema-encode.ts";
import { readSchemas, schemasFolder } from "../../shared/schema-files.ts";
import { parseSchema } from "../../shared/schema-parse.ts";
import { slabBytes } from "../../shared/schema-sink.ts";
import { openSource } from "../../shared/schema-source.ts";

type Golden = readonly Readonly<{ value: Readonly<Record<string, unknown>>; bytes: string }>[];

const histories = await readSchemas();

for (const { versions, current } of histories)
  for (const version of versions) {
    const path = version.path.replace(".avsc", ".golden.json");
    const golden = async () => {
      const file = Bun.file(join(schemasFolder, path));
      if (await file.exists()) return (await file.json()) as Golden;
      throw new Error(
        `schemas/${path} is missing; write it once, with test/contract/python_golden.py and some records`,
      );
    };

    // Written once by test/contract/python_golden.py, so another implementation than ours has made the bytes.
    test(`the golden bytes of ${version.path} are read as they were written`, async () => {
      const mistakes: string[] = [];
      const decode = compileDecoder(parseSchema(version.schema), parseSchema(current.schema), mistakes);
      expect(mistakes).toEqual([]);
      const records = await golden();
      expect(records.length).toBeGreaterThan(0);
      for (const { value, bytes } of records) {
        const source = openSource(Buffer.from(bytes, "hex"), 0);
        // Later versions add fields; those the writer had must be what they were.
        expect(JSON.parse(JSON.stringify(decode(source)))).toMatchObject(value);
        expect(source.at).toBe(source.end);
      }
    });

    test(`the encoder of ${version.path} makes the golden bytes`, async () => {
      const node = parseSchema(version.schema);
      const decode = compileDecoder(node, node, []);
      const encode = compileEncoder(node);
      for (const { bytes } of await golden()) {
        const sink = { bytes: Buffer.allocUnsafeSlow(slabBytes), start: 0, at: 0 };
        encode(decode(openSource(Buffer.from(bytes, "hex"), 0)), sink);
        expect(sink.bytes.subarray(0, sink.at).toString("hex")).toBe(bytes);
      }
    });
  }
