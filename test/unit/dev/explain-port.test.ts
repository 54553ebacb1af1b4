import { expect, test } from "bun:test";
import { explainPort } from "../../../dev/stack/explain-port.ts";

const app = { what: "the app", usual: [8080, 8480, 8880] };
const kafka = { what: "kafka", usual: [9092] };

test.each<[string | null, Parameters<typeof explainPort>[0]]>([
  [null, { ...app, port: 8080 }],
  ["8080 is taken; the app is on 8480", { ...app, port: 8480 }],
  ["8080, 8480 and 8880 are taken; the app is on 8881", { ...app, port: 8881 }],
  ["9092 is taken; kafka is on 9093", { ...kafka, port: 9093 }],
  [null, { ...kafka, port: 9092, before: 9092 }],
  [null, { ...kafka, port: 9092, before: 9093 }],
  ["kafka stays on 9093, where it was before (usual: 9092)", { ...kafka, port: 9093, before: 9093 }],
  ["9093 and 9092 are taken; kafka is on 9094", { ...kafka, port: 9094, before: 9093 }],
  ["9092 is taken; kafka is on 9093", { ...kafka, port: 9093, before: 9092 }],
])("%p is said of a port", (said, given) => {
  expect(explainPort(given)).toBe(said);
});
