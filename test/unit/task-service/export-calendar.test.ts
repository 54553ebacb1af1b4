import { expect, test } from "bun:test";
import { defaultPreferences } from "../../../shared/preferences/preferences.ts";
import { exportCalendar, type ExportDeps } from "../../../workers/task-service/export-calendar.ts";
import { taskRow } from "../../support/task-row.ts";

const user = "0190a000-0000-7000-8000-00000000000a";
const row = taskRow({ id: "0190a000-0000-7000-8000-000000000001", user_id: user });

function setup(listTasks: ExportDeps["listTasks"]) {
  const broken: unknown[] = [];
  const deps: ExportDeps = {
    readZones: async () => [],
    readPreferences: async () => defaultPreferences,
    readSeriesParts: async () => ({ patterns: new Map(), exceptions: new Map() }),
    readOwnAlarms: async () => new Map(),
    listTasks,
    onBreak: (error) => void broken.push(error),
  };
  return { deps, broken };
}

test("pages are read only as the stream is taken, and none once its reader is gone", async () => {
  let pages = 0;
  const { deps } = setup(async ({ limit }) => {
    pages += 1;
    return Array.from({ length: limit }, () => row);
  });
  const reader = (await exportCalendar(deps, user)).getReader();
  await reader.read();
  expect(pages).toBeLessThanOrEqual(1);
  await reader.read();
  await reader.read();
  await reader.cancel();
  const read = pages;
  expect(read).toBeLessThanOrEqual(3);
  await Bun.sleep(0); // a page asked for too much would begin now
  expect(pages).toBe(read);
});

test("a page being written is not written to its end once its reader is gone", async () => {
  const rules: string[] = [];
  const { deps, broken } = setup(async ({ limit }) => Array.from({ length: limit }, () => row));
  const readSeriesParts: ExportDeps["readSeriesParts"] = async () => ({
    patterns: new Map(),
    exceptions: {
      // Asked for each task of the page; as slow as a rule whose dates are far apart.
      get: (id: string) => {
        rules.push(id);
        for (const end = performance.now() + 3; performance.now() < end;);
        return undefined;
      },
    } as unknown as Map<string, never>,
  });
  const reader = (await exportCalendar({ ...deps, readSeriesParts }, user)).getReader();
  await reader.read();
  await Bun.sleep(50);
  expect(rules).not.toBeEmpty();
  await reader.cancel();
  const begun = rules.length;
  await Bun.sleep(100);
  expect([begun < 400, rules.length - begun, broken]).toEqual([true, 0, []]);
});

test("a reading that fails breaks the stream off without an end, and is told", async () => {
  const { deps, broken } = setup(async () => {
    throw new Error("connection lost");
  });
  const stream = await exportCalendar(deps, user);
  await expect(new Response(stream).text()).rejects.toThrow("connection lost");
  expect(broken).toHaveLength(1);
});

test("exceptions are read of the templates on a page alone, patterns of the others that its tasks are of, each once", async () => {
  const id = (n: number) => `0190a000-0000-7000-8000-00000000010${n}`;
  const template = { ...row, id: id(1), is_recurring_template: true, recurrence_pattern: '{"rrule":"FREQ=DAILY"}' };
  const occurrence = { ...row, template_id: id(2), recurrence_id: "2026-03-02T09:00:00" };
  const { deps } = setup(async () => [template, occurrence, row, { ...occurrence, id: id(4) }]);
  const asked: unknown[] = [];
  const readSeriesParts: ExportDeps["readSeriesParts"] = async (_user, wanted) => {
    asked.push(wanted);
    return { patterns: new Map(), exceptions: new Map() };
  };
  await new Response(await exportCalendar({ ...deps, readSeriesParts }, user)).text();
  expect(asked).toEqual([{ patternsOf: [id(2)], exceptionsOf: [id(1)] }]);
});

test("a template of a newer build's pattern is exported without a rule, its pattern kept", async () => {
  const template = { ...row, is_recurring_template: true, recurrence_pattern: '{"rrule":"FREQ=LUNAR"}' };
  const { deps } = setup(async () => [template]);
  const text = await new Response(await exportCalendar(deps, user)).text();
  expect(text).toContain('X-TASKWIRE-PATTERN;VALUE=TEXT:{"rrule":"FREQ=LUNAR"}\r\n');
  expect(text).not.toMatch(/^RRULE|^DTSTART/m);
});

test("others get their turn between the templates of a page whose rules take long to read", async () => {
  const templates = Array.from({ length: 100 }, (_, index) => ({
    ...row,
    is_recurring_template: true,
    // No rule of iCalendar says it: its recurrences are laid out one by one.
    recurrence_pattern: JSON.stringify({
      rrule: "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30,31",
      tz: "Europe/Berlin",
      start: `2026-01-01T09:00:${String(index % 60).padStart(2, "0")}`,
      month_end: "clamp",
    }),
  }));
  const { deps } = setup(async () => templates);
  let turns = 0;
  const count = () => {
    turns += 1;
    turn = setImmediate(count);
  };
  let turn = setImmediate(count);
  const text = await new Response(await exportCalendar(deps, user)).text();
  clearImmediate(turn);
  expect(text.match(/^RDATE/gm)).toHaveLength(100);
  expect(turns).toBeGreaterThan(3);
});
