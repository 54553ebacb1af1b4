import { hexText, randomBytes, utf8Bytes } from "./bytes.ts";
import { digestOf } from "./digest.ts";

/** The instant that was asked for last, and what the id of it says. */
let last = { asked: -1, ms: -1, count: 0 };

/**
 * A UUIDv7 (RFC 9562 §5.7) of an instant, of the process's clock where none is given. Those that one process makes in
 * one millisecond rise: the 12 bits after the time count, from a random number below 2,048 on; after 4,095 they go on
 * with the next millisecond.
 */
export function uuidV7(at?: Date): string {
  const asked = at === undefined ? Date.now() : at.getTime();
  last = next(asked, last);
  const bytes = randomBytes(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(last.ms / 2 ** 32));
  view.setUint32(2, last.ms % 2 ** 32);
  view.setUint16(6, 0x7000 | last.count);
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  return spelled(bytes);
}

function next(asked: number, { ms, count, ...before }: typeof last): typeof last {
  if (before.asked !== asked)
    return { asked, ms: asked, count: new DataView(randomBytes(2).buffer).getUint16(0) & 0x7ff };
  return count < 0xfff ? { asked, ms, count: count + 1 } : { asked, ms: ms + 1, count: 0 };
}

/** The UUIDv5 (RFC 9562 §5.5) of a name in a namespace. */
export function uuidV5(name: string, namespace: Uint8Array): string {
  const text = utf8Bytes(name);
  const whole = new Uint8Array(16 + text.length);
  whole.set(namespace);
  whole.set(text, 16);
  const bytes = digestOf("sha1", whole).slice(0, 16);
  const view = new DataView(bytes.buffer);
  view.setUint8(6, 0x50 | (view.getUint8(6) & 0x0f));
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  return spelled(bytes);
}

/** The 16 bytes of a UUID as it is written. */
export function uuidBytes(uuid: string): Uint8Array {
  const hex = uuid.replaceAll("-", "");
  return Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

function spelled(bytes: Uint8Array): string {
  const hex = hexText(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Whether a text is a UUID, of whatever version, in letters of either case. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}
