import { expect, test } from "bun:test";
import { join } from "node:path";
import { readSchemas, schemasFolder } from "../../../shared/avro/files.ts";
import { openSlab, recordEncoder } from "../../../shared/avro/record-encoder.ts";
import { recordDecoder, recordType } from "../../../shared/avro/record-type.ts";

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
      const decode = recordDecoder(recordType(version.schema), recordType(current.schema));
      const records = await golden();
      expect(records.length).toBeGreaterThan(0);
      for (const { value, bytes } of records) {
        // Later versions add fields; those the writer had must be what they were.
        expect(JSON.parse(JSON.stringify(decode(Buffer.from(bytes, "hex"), 0)))).toMatchObject(value);
      }
    });

    test(`the encoder of ${version.path} makes the golden bytes`, async () => {
      const type = recordType(version.schema);
      const decode = recordDecoder(type, type);
      const options = { framing: Buffer.from("taskwire"), maxBytes: 1_000_000, slab: openSlab() };
      const encode = recordEncoder(version.schema, options);
      for (const { bytes } of await golden())
        expect(encode(decode(Buffer.from(bytes, "hex"), 0))).toEqual({
          bytes: Buffer.concat([options.framing, Buffer.from(bytes, "hex")]),
        });
    });
  }
