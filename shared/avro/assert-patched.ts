import type avro from "avsc";

/**
 * Throws where avsc reads what our patch of it refuses: installed by another than Bun, it is as its authors left it,
 * and six hostile bytes claim 3.6 GB. Asked of avsc itself, a property for each part of the patch.
 */
export function assertPatched({ Type }: Pick<typeof avro, "Type">): void {
  const nulls = Type.forSchema({ type: "array", items: "null" });
  const letters = Type.forSchema({ type: "enum", name: "Letter", symbols: ["A"] });
  const isPatched =
    refuses(() => nulls.fromBuffer(Buffer.from([0x06, 0x00]))) &&
    refuses(() => Type.forSchema("string").fromBuffer(Buffer.from([0x02, 0xff]))) &&
    !refuses(() => Type.forSchema("long").toBuffer(Number.MAX_SAFE_INTEGER)) &&
    !letters.isValid("constructor");
  if (!isPatched) throw new Error("avsc is not patched: install with `bun install`");
}

function refuses(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}
