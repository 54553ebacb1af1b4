import { describe, expect, test } from "bun:test";
import { Problem } from "../../../../shared/problem.ts";
import { filterWords } from "../../../../workers/task-service/find/filter-words.ts";
import { parseFilter } from "../../../../workers/task-service/find/parse-filter.ts";

// Monday evening in UTC; Tuesday, 1 December, in Auckland.
const now = new Date("2026-11-30T20:00:00Z");
const read = (text: string, zone = "UTC") => parseFilter(text, { now, zone });
const spanOf = (text: string, zone = "UTC") => {
  const tree = read(text, zone);
  return tree.is === "time" ? tree.span : tree;
};
const mistakeOf = (text: string): string => {
  try {
    return `read as: ${filterWords(read(text))}`;
  } catch (error) {
    return error instanceof Problem ? (error.extra.mistakes?.[0]?.message ?? "") : String(error);
  }
};

test.each([
  ["today", "due today"],
  [
    "today | overdue & (p1 | #home) & !#waiting",
    'due today or overdue and (priority High or tagged "home") and not tagged "waiting"',
  ],
  ["(today | overdue) & p1", "(due today or overdue) and priority High"],
  ["Today OR Overdue AND NOT P4", "due today or overdue and not without a priority"],
  ["!(p1 & p2)", "not (priority High and priority Medium)"],
  ["!!p1", "not not priority High"],
  ["today, tomorrow", "due today or due tomorrow"],
  ["high priority & low", "priority High and priority Low"],
  ["no date | no due date", "without a due date or without a due date"],
  ["due", "with a due date"],
  ["!no tags & no priority", "with tags and without a priority"],
  ["completed & completed last week", "completed and completed last week"],
  ["done yesterday", "completed yesterday"],
  ["created since 2026-01-31 & updated today", "created on 2026-01-31 or later and updated today"],
  ["next 7 days|7 days", "due in the next 7 days or due in the next 7 days"],
  ["recurring & all day", "recurring and due on a day without a time"],
  ['"Fern & moss" & #"two words"', 'with the words "Fern & moss" and tagged "two words"'],
  ["#häuschen&#日本", 'tagged "häuschen" and tagged "日本"'],
])("%s means: %s", (text, words) => expect(filterWords(read(text))).toBe(words));

describe("days are those of the one who asks", () => {
  test.each([
    ["today", "UTC", { from: "2026-11-30", before: "2026-12-01" }],
    ["today", "Pacific/Auckland", { from: "2026-12-01", before: "2026-12-02" }],
    ["yesterday", "UTC", { from: "2026-11-29", before: "2026-11-30" }],
    ["monday", "UTC", { from: "2026-11-30", before: "2026-12-01" }],
    ["sun", "UTC", { from: "2026-12-06", before: "2026-12-07" }],
    ["monday", "Pacific/Auckland", { from: "2026-12-07", before: "2026-12-08" }],
    ["this week", "UTC", { from: "2026-11-30", before: "2026-12-07" }],
    ["last week", "UTC", { from: "2026-11-23", before: "2026-11-30" }],
    ["next week", "Pacific/Auckland", { from: "2026-12-07", before: "2026-12-14" }],
    ["this month", "UTC", { from: "2026-11-01", before: "2026-12-01" }],
    ["next month", "Pacific/Auckland", { from: "2027-01-01", before: "2027-02-01" }],
    ["last 30 days", "UTC", { from: "2026-11-01", before: "2026-12-01" }],
    ["next 1 day", "UTC", { from: "2026-11-30", before: "2026-12-01" }],
    ["due before friday", "UTC", { before: "2026-12-04" }],
    ["after tomorrow", "UTC", { from: "2026-12-02" }],
    ["from 2028-02-29", "UTC", { from: "2028-02-29" }],
    ["2028-02-29", "UTC", { from: "2028-02-29", before: "2028-03-01" }],
  ])("%s in %s", (text, zone, span) => expect(spanOf(text, zone)).toEqual(span));
});

describe("what is no filter is told with the character", () => {
  test.each([
    ["today p1", 'has "p1" where & or | should come (character 7)'],
    ["(today | overdue", 'ends where ")" for the "(" at character 1 should come (character 17)'],
    ["today &", "ends where a term such as today, overdue, p1 or #home should come (character 8)"],
    ["today | & p1", 'has "&" where a term such as today, overdue, p1 or #home should come (character 9)'],
    ["today )", 'has ")" where & or | should come (character 7)'],
    ["# home", 'has a "#" without a tag (character 1)'],
    ['p1 & "milk', "has a quote that is empty or is not closed (character 6)"],
    ['""', "has a quote that is empty or is not closed (character 1)"],
    ["2026-02-30", '"2026-02-30" is no day from 1970-01-01 to 2199-12-31 (character 1)'],
    ["due before 2300-01-01", '"2300-01-01" is no day from 1970-01-01 to 2199-12-31 (character 12)'],
    ["due before", "ends where a day after before, such as friday or 2026-12-31 should come (character 11)"],
    [
      "created",
      "ends where when it was created, such as today, this week or before 2026-12-31, should come (character 8)",
    ],
    ["0 days", '"0" is not 1 to 3660 days (character 1)'],
    ["next 99999 days", '"99999" is not 1 to 3660 days (character 6)'],
    ["next fortnight", 'has "fortnight" where week, month or a number of days should come (character 6)'],
    ["no idea", 'has "idea" where date, tags or priority after no should come (character 4)'],
    ["all", "ends where day after all should come (character 4)"],
    ["   ", "ends where a term such as today, overdue, p1 or #home should come (character 4)"],
    ["😀 & p1", '"😀" is no term: there are today'],
    ["p1 & 😀😀 | milk", '"😀😀" is no term: there are today'],
    ["__proto__", '"__proto__" is no term'],
    [`p1 & #${"字".repeat(65)}`, "has a tag of more than 64 characters (character 6)"],
    ['p1 & " -- "', "has a text without words (character 6)"],
    [Array(9).fill('"a"').join("&"), "has more than 8 tags and texts (character 33)"],
  ])("%s", (text, message) => expect(mistakeOf(text)).toStartWith(message));

  test("a character is what a person counts as one, mostly", () =>
    expect(mistakeOf("#😀 & milk")).toEndWith("(character 6)"));
  test("nothing is read deeper or longer than it may be", () => {
    expect(mistakeOf(`${"(".repeat(500)}p1${")".repeat(500)}`)).toStartWith("is nested more than 20 deep");
    expect(mistakeOf("!".repeat(500))).toStartWith("is nested more than 20 deep");
    expect(mistakeOf(Array(101).fill("p1").join("|"))).toStartWith("has more than 100 terms");
  });
});
