import { describe, expect, test } from "bun:test";
import { assembleDocument } from "../../../dev/api/assemble-document.ts";
import { userProblems } from "../../../shared/problem.ts";
import { maxReached } from "../../../workers/recurring-task-worker/change-occurrence.ts";
import { maxExceptions } from "../../../workers/recurring-task-worker/decide-exception.ts";
import { examples } from "../../../workers/ui-gateway/document/reference/examples.ts";
import { renderDocs } from "../../../workers/ui-gateway/document/reference/render-docs.ts";

const document = await assembleDocument();
const html = renderDocs(document);
const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id = ""]) => id);
const operations = Object.values(document.paths).flatMap((item) =>
  Object.values(item as Record<string, { operationId: string }>).map(({ operationId }) => operationId),
);

describe("the reference", () => {
  test("has a place of its own for every operation, schema and error", () => {
    const wanted = [
      ...operations,
      ...Object.keys(document.components["schemas"] ?? {}).map((name) => `schema-${name}`),
      ...userProblems.map(([code]) => `error-${code}`),
    ];
    expect(wanted.filter((id) => !ids.includes(id))).toEqual([]);
    expect(ids.length).toBe(new Set(ids).size);
  });

  test("has no link that leads nowhere", () => {
    const links = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id = ""]) => id);
    expect(links.length).toBeGreaterThan(100);
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test("has no script, and leaves no value unsaid", () => {
    expect(html).not.toContain("<script");
    expect(html).not.toMatch(/\bundefined\b|\[object|\bNaN\b/);
  });

  test("shows a schema once, with every field, choice, default and limit of it", () => {
    const part = (name: string) => html.slice(html.indexOf(`id="schema-${name}"`)).split("</article>")[0] ?? "";
    for (const field of ["rrule", "tz", "start", "exdate", "anchor", "month_end", "catch_up", "max_open"])
      expect(part("RecurrencePatternInput")).toContain(`<code>${field}</code>`);
    for (const words of [
      "weekdays",
      "default <code>&#34;schedule&#34;</code>",
      "at most 366 items",
      "at most 500 characters",
      "to 100",
    ])
      expect(part("RecurrencePatternInput")).toContain(words);
    for (const words of ["whsec_", "<code>else</code>", "at most 2000 characters", "FallbackChannel"])
      expect(part("Channel")).toContain(words);
    expect(part("PreferencesInput")).toContain("quiet_hours.from");
    expect(html.split("Every mistake in the request, at most 50.").length).toBe(2);
  });

  test.each([
    ["what a start is where none is said", "to the second"],
    ["what happens when clocks change", "jumped over in spring"],
    ["what a repeated request is", "the order of keys"],
    ["how a webhook is signed", "hmac_sha256"],
    ["what is posted", "reminder.digest"],
    ["how long a cursor holds", "seven days"],
    ["why a stream is reset", "<code>beyond-end</code>"],
    ["which claims a token needs", "<code>sub</code>"],
    ["how large a body may be", "1,310,720"],
  ])("tells %s", (_, words) => expect(html).toContain(words));

  test("tells the limits that other roles keep", () => {
    expect(html).toContain(`${maxExceptions} to come, ${maxReached} in one request`);
  });

  test("shows every example at its operation", () => {
    for (const { operationId, says } of examples) {
      expect(operations).toContain(operationId);
      expect(says).not.toBe("");
    }
    expect(html.match(/<pre tabindex="0">curl /g)).toHaveLength(examples.length);
  });
});
