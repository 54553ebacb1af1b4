import { isUuid } from "../uuid.ts";
import avro from "avsc";

const { LogicalType } = avro.types;

// avsc takes logical types as subclasses, and nothing else; undefined from _toValue says that the value does not fit,
// and from _resolve that it cannot be read: another logical type would fit the bytes and mean something else.

/** `timestamp-millis` as a Date. */
export class Instant extends LogicalType {
  constructor(schema: avro.Schema, options?: unknown) {
    super(schema, options);
    onlyOf("long", this.underlyingType);
  }
  protected override _fromValue(ms: number): Date {
    const time = new Date(ms);
    if (Number.isNaN(time.getTime())) throw new Error("a timestamp is out of range");
    return time;
  }
  protected override _toValue(value: unknown): number | undefined {
    return value instanceof Date && !Number.isNaN(value.getTime()) ? value.getTime() : undefined;
  }
  protected override _resolve(writer: avro.Type): unknown {
    return writer instanceof Instant ? same : undefined;
  }
}

/** `uuid` as text, checked on both ways. */
export class Uuid extends LogicalType {
  constructor(schema: avro.Schema, options?: unknown) {
    super(schema, options);
    onlyOf("string", this.underlyingType);
  }
  protected override _fromValue(text: string): string {
    if (!isUuid(text)) throw new Error("a UUID is malformed");
    return text;
  }
  protected override _toValue(value: unknown): string | undefined {
    return typeof value === "string" && isUuid(value) ? value : undefined;
  }
  protected override _resolve(writer: avro.Type): unknown {
    return writer instanceof Uuid ? same : undefined;
  }
}

/** `date` as "YYYY-MM-DD", of the years 0000 to 9999. */
export class Day extends LogicalType {
  constructor(schema: avro.Schema, options?: unknown) {
    super(schema, options);
    onlyOf("int", this.underlyingType);
  }
  protected override _fromValue(days: number): string {
    if (!(days >= firstDay && days <= lastDay)) throw new Error("a day is out of range");
    return new Date(days * dayMs).toISOString().slice(0, 10);
  }
  protected override _toValue(value: unknown): number | undefined {
    if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return undefined;
    const ms = Date.parse(`${value}T00:00:00Z`);
    // 2026-02-30 parses to a day of March: what does not come back the same is no date.
    return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== value ? undefined : ms / dayMs;
  }
  protected override _resolve(writer: avro.Type): unknown {
    return writer instanceof Day ? same : undefined;
  }
}

/** By the name a schema gives them. */
export const logicalTypes = { "timestamp-millis": Instant, uuid: Uuid, date: Day };

/** Of another type the name means nothing: avsc catches this and reads the type beneath, as the specification says. */
function onlyOf(base: string, type: avro.Type): void {
  if (type.typeName !== base) throw new Error(`is no logical type of ${type.typeName}`);
}

/** The writer's own type has made the value already. */
const same = <T>(value: T): T => value;

const dayMs = 86_400_000;
const firstDay = Date.parse("0000-01-01T00:00:00Z") / dayMs;
const lastDay = Date.parse("9999-12-31T00:00:00Z") / dayMs;
