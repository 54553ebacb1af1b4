import { expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import {
  kafkaHeaders,
  messageContentType,
  readEnvelope,
  storeHeaders,
  writeEnvelope,
} from "../../../shared/outbox/envelope.ts";
import type { Headers } from "../../../shared/messages/message.ts";

const written = {
  id: "0190a1b2-0000-7000-8000-000000000001",
  time: new Date("2026-03-01T10:00:00.123Z"),
  source: "task-service",
  type: "TaskCreated",
  subject: "t9",
  contentType: messageContentType,
  correlationId: "request-1",
  causationId: "0190a1b2-0000-7000-8000-000000000002",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
} as const;

const text = (headers: Headers) => headers.map(([name, value]) => [name, Buffer.from(value).toString()]);

test("what is written is read back", () => {
  expect(readEnvelope(kafkaHeaders(writeEnvelope(written), 7))).toEqual({
    id: written.id,
    time: written.time,
    source: "task-service",
    type: "TaskCreated",
    subject: "t9",
    sequence: 7,
    correlationId: "request-1",
    causationId: written.causationId,
    traceparent: written.traceparent,
  });
});

test("headers have the names of CloudEvents' Kafka binding, and what is null is left out", () => {
  const headers = kafkaHeaders(writeEnvelope({ ...written, causationId: null, traceparent: null }), 0);
  expect(text(headers)).toEqual([
    ["ce_specversion", "1.0"],
    ["ce_id", written.id],
    ["ce_source", "task-service"],
    ["ce_type", "TaskCreated"],
    ["ce_time", "2026-03-01T10:00:00.123Z"],
    ["ce_subject", "t9"],
    ["content-type", "application/vnd.confluent.avro"],
    ["ce_correlationid", "request-1"],
    ["ce_sequence", "0"],
  ]);
  expect(readEnvelope(headers)).toMatchObject({ causationId: null, traceparent: null, sequence: 0 });
});

test("a row without a sequence has no such header", () => {
  expect(text(kafkaHeaders([["a", "b"]], null))).toEqual([["a", "b"]]);
});

const cases: readonly (readonly [given: string, name: string, value: string | null])[] = [
  ["no id", "ce_id", null],
  ["an id that is no UUID", "ce_id", "7"],
  ["another version of CloudEvents", "ce_specversion", "0.3"],
  ["a source that is no role", "ce_source", "stranger"],
  ["a time that is no RFC 3339 time", "ce_time", "yesterday"],
  ["a time that does not exist", "ce_time", "2026-13-01T00:00:00Z"],
  ["a time before the year 1", "ce_time", "0001-01-01T00:00:00+01:00"],
  ["a time after the year 9999", "ce_time", "9999-12-31T23:59:59-01:00"],
  ["no subject", "ce_subject", null],
  ["a negative sequence", "ce_sequence", "-1"],
  ["a sequence beyond what a number holds", "ce_sequence", "9007199254740993"],
  ["no correlation id", "ce_correlationid", null],
];
for (const [given, name, value] of cases)
  test(`${given} is undecodable, and the header is named`, () => {
    const headers = kafkaHeaders(writeEnvelope(written), 7).filter(([header]) => header !== name);
    const changed: Headers = value === null ? headers : [...headers, [name, Buffer.from(value)]];
    expect(() => readEnvelope(changed)).toThrow(name);
    try {
      readEnvelope(changed);
    } catch (error) {
      expect(error).toMatchObject({ code: "UNDECODABLE" });
    }
  });

test("of a name that repeats, the last counts", () => {
  const headers: Headers = [...kafkaHeaders(writeEnvelope(written), 7), ["ce_sequence", Buffer.from("8")]];
  expect(readEnvelope(headers).sequence).toBe(8);
});

test("any headers survive the outbox: order, repeated names, bytes that are no text", () => {
  const header = fc.tuple(
    fc.stringMatching(/^[a-z-]{1,20}$/),
    fc.oneof(
      fc.uint8Array(),
      fc.string().map((value) => Buffer.from(value)),
    ),
  );
  fc.assert(
    fc.property(fc.array(header), (headers) => {
      const json = JSON.stringify(storeHeaders(headers));
      expect(json).not.toContain("\\u0000");
      const back = kafkaHeaders(JSON.parse(json), null);
      expect(back.map(([name, value]) => [name, Buffer.from(value).toString("hex")])).toEqual(
        headers.map(([name, value]) => [name, Buffer.from(value).toString("hex")]),
      );
    }),
  );
});
