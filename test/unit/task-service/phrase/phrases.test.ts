import { describe, expect, test } from "bun:test";
import { Problem } from "../../../../shared/problem.ts";
import { wallText } from "../../../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../../../shared/recurrence/zone-clock.ts";
import { readPhrase } from "../../../../workers/task-service/phrase/read-phrase.ts";

// Monday, 14:00 in Berlin.
const monday = { now: new Date("2026-11-30T13:00:00Z"), zone: "Europe/Berlin" };
type Read = ReturnType<typeof readPhrase>;

/** What was understood, in one line: due, or rule from its start; then reminders, priority and tags. */
function said({ task }: Read, zone = monday.zone): string {
  const { due_date, due_on, recurrence_pattern: pattern, remind, priority, tags } = task;
  const ends = (text: unknown) => (text === "completion" ? " after completion" : "");
  return [
    (due_date?.endsWith("Z") === true
      ? wallText(zoneClock(zone).wallAt(Date.parse(due_date))).slice(0, 16)
      : due_date) ??
      due_on ??
      (pattern === undefined
        ? "no due"
        : `${String(pattern["rrule"]).replace("FREQ=", "")} from ${String(pattern["start"])}${ends(pattern["anchor"])}`),
    ...(remind === undefined ? [] : [`remind ${remind.join(" ") || "never"}`]),
    ...(priority === undefined ? [] : [priority]),
    ...(tags ?? []).map((tag) => `#${tag}`),
  ].join(", ");
}
const read = (text: string, at = monday): readonly [string, string] => {
  const found = readPhrase(text, at);
  return [found.task.title, said(found, at.zone)];
};

describe("days and times", () => {
  test.each([
    ["buy milk", "buy milk", "no due"],
    ["buy milk today", "buy milk", "2026-11-30"],
    ["buy milk tod", "buy milk", "2026-11-30"],
    ["buy milk tomorrow", "buy milk", "2026-12-01"],
    ["Buy Milk TOMORROW", "Buy Milk", "2026-12-01"],
    ["tomorrow buy milk", "buy milk", "2026-12-01"],
    ["called Eve yesterday", "called Eve", "2026-11-29"],
    ["buy tomorrow milk", "buy milk", "2026-12-01"],
    ["buy milk tmr", "buy milk", "2026-12-01"],
    ["buy milk the day after tomorrow", "buy milk", "2026-12-02"],
    ["buy milk day after tomorrow", "buy milk", "2026-12-02"],
    ["dentist monday", "dentist", "2026-11-30"],
    ["dentist tuesday", "dentist", "2026-12-01"],
    ["dentist on Tue", "dentist", "2026-12-01"],
    ["dentist friday", "dentist", "2026-12-04"],
    ["dentist fri", "dentist", "2026-12-04"],
    ["dentist this friday", "dentist", "2026-12-04"],
    ["dentist next friday", "dentist", "2026-12-11"],
    ["dentist next monday", "dentist", "2026-12-07"],
    ["dentist coming sunday", "dentist", "2026-12-06"],
    ["dentist a week from friday", "dentist", "2026-12-11"],
    ["dentist two weeks from tomorrow", "dentist", "2026-12-15"],
    ["dentist a week from today", "dentist", "2026-12-07"],
    ["dentist in 3 days", "dentist", "2026-12-03"],
    ["dentist in a week", "dentist", "2026-12-07"],
    ["dentist in two weeks", "dentist", "2026-12-14"],
    ["dentist in a month", "dentist", "2026-12-30"],
    ["dentist in 3 months", "dentist", "2027-02-28"],
    ["dentist in a year", "dentist", "2027-11-30"],
    ["dentist 10 days from now", "dentist", "2026-12-10"],
    ["dentist in a couple of days", "dentist", "2026-12-02"],
    ["plan next week", "plan", "2026-12-07"],
    ["plan next month", "plan", "2026-12-01"],
    ["plan next year", "plan", "2027-01-01"],
    ["hike this weekend", "hike", "2026-12-05"],
    ["hike next weekend", "hike", "2026-12-12"],
    ["report end of week", "report", "2026-12-04"],
    ["report by the end of the month", "report", "2026-11-30"],
    ["report by end of year", "report", "2026-12-31"],
    ["report eom", "report", "2026-11-30"],
    ["taxes may 31", "taxes", "2027-05-31"],
    ["taxes on May 31st", "taxes", "2027-05-31"],
    ["taxes 31 may", "taxes", "2027-05-31"],
    ["taxes 31st of May", "taxes", "2027-05-31"],
    ["taxes dec 1", "taxes", "2026-12-01"],
    ["taxes nov 30", "taxes", "2026-11-30"],
    ["taxes nov 29", "taxes", "2027-11-29"],
    ["taxes feb 29", "taxes", "2028-02-29"],
    ["taxes sept 3, 2028", "taxes", "2028-09-03"],
    ["taxes 3 sept. 2028", "taxes", "2028-09-03"],
    ["taxes 2027-05-31", "taxes", "2027-05-31"],
    ["taxes 31.5.2027", "taxes", "2027-05-31"],
    ["taxes 31.5.", "taxes", "2027-05-31"],
    ["taxes 31/5", "taxes", "2027-05-31"],
    ["taxes 5/31/2027", "taxes", "2027-05-31"],
    ["rent on the 1st", "rent", "2026-12-01"],
    ["rent on the 30th", "rent", "2026-11-30"],
    ["rent the 15th of next month", "rent", "2026-12-15"],
    ["rent by the 31st", "rent", "2026-12-31"],
    ["call mum 17:00", "call mum", "2026-11-30T17:00"],
    ["call mum at 17:30", "call mum", "2026-11-30T17:30"],
    ["call mum at 17.30", "call mum", "2026-11-30T17:30"],
    ["call Eve tomorrow morning", "call Eve", "2026-12-01T09:00"],
    ["call Eve friday evening", "call Eve", "2026-12-04T18:00"],
    ["tomorrow night call Eve", "call Eve", "2026-12-01T20:00"],
    ["standup monday 9:00", "standup", "2026-12-07T09:00"],
    ["standup monday 15:00", "standup", "2026-11-30T15:00"],
    ["standup today 9:00", "standup", "2026-11-30T09:00"],
    ["tax form on the first Monday of June", "tax form", "2027-06-07"],
    ["meet the last friday of next month", "meet", "2026-12-25"],
    ["at 5 call mum", "call mum", "2026-11-30T17:00"],
    ["call mum at 5 with Eve", "call mum with Eve", "2026-11-30T17:00"],
    ["book a table for friday", "book a table", "2026-12-04"],
    ["called Eve yesterday at 9:00", "called Eve", "2026-11-29T09:00"],
    ["call mum 9:05", "call mum", "2026-12-01T09:05"],
    ["call mum 5pm", "call mum", "2026-11-30T17:00"],
    ["call mum 5 pm", "call mum", "2026-11-30T17:00"],
    ["call mum 5:30 p.m.", "call mum", "2026-11-30T17:30"],
    ["call mum 12am tomorrow", "call mum", "2026-12-01T00:00"],
    ["call mum 12pm tomorrow", "call mum", "2026-12-01T12:00"],
    ["call mum at 5", "call mum", "2026-11-30T17:00"],
    ["call mum at 9", "call mum", "2026-12-01T09:00"],
    ["call mum @ 18", "call mum", "2026-11-30T18:00"],
    ["call mum at noon tomorrow", "call mum", "2026-12-01T12:00"],
    ["call mum tonight", "call mum", "2026-11-30T20:00"],
    ["call mum this evening", "call mum", "2026-11-30T18:00"],
    ["call mum tomorrow in the morning", "call mum", "2026-12-01T09:00"],
    ["report by eod", "report", "2026-11-30T17:00"],
    ["report by friday eod", "report", "2026-12-04T17:00"],
    ["cake out in 20 minutes", "cake out", "2026-11-30T14:20"],
    ["cake out in 20 min", "cake out", "2026-11-30T14:20"],
    ["cake out in half an hour", "cake out", "2026-11-30T14:30"],
    ["cake out in an hour", "cake out", "2026-11-30T15:00"],
    ["cake out in 2h", "cake out", "2026-11-30T16:00"],
    ["in 12 hours call", "call", "2026-12-01T02:00"],
    ["lunch with Eve tomorrow at 12:30", "lunch with Eve", "2026-12-01T12:30"],
    ["lunch at 12:30 tomorrow with Eve", "lunch with Eve", "2026-12-01T12:30"],
    ["lunch, tomorrow, 12:30", "lunch", "2026-12-01T12:30"],
    ["Meeting 14:30-15:00 thursday", "Meeting", "2026-12-03T14:30"],
    ["meet on sat", "meet", "2026-12-05"],
    ["call sun 10am", "call", "2026-12-06T10:00"],
  ])("%s", (text, title, meaning) => expect(read(text)).toEqual([title, meaning]));
});

describe("repetitions", () => {
  test.each([
    ["stretch daily", "stretch", "DAILY from 2026-11-30"],
    ["stretch every day", "stretch", "DAILY from 2026-11-30"],
    ["stretch everyday", "stretch", "DAILY from 2026-11-30"],
    ["stretch every day at 15:00", "stretch", "DAILY from 2026-11-30T15:00:00"],
    ["stretch every day at 8am", "stretch", "DAILY from 2026-12-01T08:00:00"],
    ["stretch daily 8:00", "stretch", "DAILY from 2026-12-01T08:00:00"],
    ["stretch every morning", "stretch", "DAILY from 2026-12-01T09:00:00"],
    ["stretch every evening", "stretch", "DAILY from 2026-11-30T18:00:00"],
    ["stretch every night at 22:00", "stretch", "DAILY from 2026-11-30T22:00:00"],
    ["stretch every other day", "stretch", "DAILY;INTERVAL=2 from 2026-11-30"],
    ["stretch every 3 days", "stretch", "DAILY;INTERVAL=3 from 2026-11-30"],
    ["stretch every three days", "stretch", "DAILY;INTERVAL=3 from 2026-11-30"],
    ["stretch every 3 days starting tomorrow", "stretch", "DAILY;INTERVAL=3 from 2026-12-01"],
    ["stretch once a day", "stretch", "DAILY from 2026-11-30"],
    ["standup every weekday", "standup", "WEEKLY;BYDAY=MO,TU,WE,TH,FR from 2026-11-30"],
    ["standup every workday at 9:30", "standup", "WEEKLY;BYDAY=MO,TU,WE,TH,FR from 2026-12-01T09:30:00"],
    ["standup weekdays at 9:30", "standup", "WEEKLY;BYDAY=MO,TU,WE,TH,FR from 2026-12-01T09:30:00"],
    ["hike every weekend", "hike", "WEEKLY;BYDAY=SA,SU from 2026-12-05"],
    ["bins weekly", "bins", "WEEKLY from 2026-11-30"],
    ["bins every week", "bins", "WEEKLY from 2026-11-30"],
    ["bins every 2 weeks", "bins", "WEEKLY;INTERVAL=2 from 2026-11-30"],
    ["bins fortnightly", "bins", "WEEKLY;INTERVAL=2 from 2026-11-30"],
    ["bins every tuesday", "bins", "WEEKLY;BYDAY=TU from 2026-12-01"],
    ["bins each tue", "bins", "WEEKLY;BYDAY=TU from 2026-12-01"],
    ["bins on tuesdays", "bins", "WEEKLY;BYDAY=TU from 2026-12-01"],
    ["bins weekly on tuesday", "bins", "WEEKLY;BYDAY=TU from 2026-12-01"],
    ["gym every mon, wed and fri 7am", "gym", "WEEKLY;BYDAY=MO,WE,FR from 2026-12-02T07:00:00"],
    ["gym every monday and thursday at 18:00", "gym", "WEEKLY;BYDAY=MO,TH from 2026-11-30T18:00:00"],
    ["gym every friday & sunday", "gym", "WEEKLY;BYDAY=FR,SU from 2026-12-04"],
    ["bins every other tuesday", "bins", "WEEKLY;BYDAY=TU;INTERVAL=2 from 2026-12-01"],
    ["bins every second tuesday", "bins", "WEEKLY;BYDAY=TU;INTERVAL=2 from 2026-12-01"],
    ["bins every 3 weeks on friday", "bins", "WEEKLY;BYDAY=FR;INTERVAL=3 from 2026-12-04"],
    [
      "water the plants every other Saturday at 10",
      "water the plants",
      "WEEKLY;BYDAY=SA;INTERVAL=2 from 2026-12-05T10:00:00",
    ],
    ["rent monthly", "rent", "MONTHLY from 2026-11-30"],
    ["rent every month", "rent", "MONTHLY from 2026-11-30"],
    ["rent every month on the 1st", "rent", "MONTHLY;BYMONTHDAY=1 from 2026-12-01"],
    ["rent on the first of every month", "rent", "MONTHLY;BYMONTHDAY=1 from 2026-12-01"],
    ["rent every month on the first", "rent", "MONTHLY;BYMONTHDAY=1 from 2026-12-01"],
    ["work every monday to friday", "work", "WEEKLY;BYDAY=MO,TU,WE,TH,FR from 2026-11-30"],
    ["work every sat-mon", "work", "WEEKLY;BYDAY=MO,SA,SU from 2026-11-30"],
    ["gym every monday morning", "gym", "WEEKLY;BYDAY=MO from 2026-12-07T09:00:00"],
    ["rent every 1st", "rent", "MONTHLY;BYMONTHDAY=1 from 2026-12-01"],
    ["rent on the 1st of every month", "rent", "MONTHLY;BYMONTHDAY=1 from 2026-12-01"],
    ["rent every 1st and 15th", "rent", "MONTHLY;BYMONTHDAY=1,15 from 2026-12-01"],
    ["rent every 3 months on the 5th", "rent", "MONTHLY;BYMONTHDAY=5;INTERVAL=3 from 2026-12-05"],
    ["rent every other month", "rent", "MONTHLY;INTERVAL=2 from 2026-11-30"],
    ["rent quarterly", "rent", "MONTHLY;INTERVAL=3 from 2026-11-30"],
    ["rent every quarter", "rent", "MONTHLY;INTERVAL=3 from 2026-11-30"],
    ["close the books on the last day of every month", "close the books", "MONTHLY;BYMONTHDAY=-1 from 2026-11-30"],
    [
      "close the books every last day of the month at 18:00",
      "close the books",
      "MONTHLY;BYMONTHDAY=-1 from 2026-11-30T18:00:00",
    ],
    ["invoices every last friday 17:00", "invoices", "MONTHLY;BYDAY=-1FR from 2026-12-25T17:00:00"],
    ["invoices every last fri of the month", "invoices", "MONTHLY;BYDAY=-1FR from 2026-12-25"],
    ["board every 2nd tuesday of the month", "board", "MONTHLY;BYDAY=2TU from 2026-12-08"],
    ["board every first monday", "board", "MONTHLY;BYDAY=1MO from 2026-12-07"],
    ["board on the first monday of every month", "board", "MONTHLY;BYDAY=1MO from 2026-12-07"],
    ["birthday yearly", "birthday", "YEARLY from 2026-11-30"],
    ["birthday every year on may 5", "birthday", "YEARLY;BYMONTH=5;BYMONTHDAY=5 from 2027-05-05"],
    ["birthday every may 5th", "birthday", "YEARLY;BYMONTH=5;BYMONTHDAY=5 from 2027-05-05"],
    ["birthday every 5th of May", "birthday", "YEARLY;BYMONTH=5;BYMONTHDAY=5 from 2027-05-05"],
    ["checkup every 2 years", "checkup", "YEARLY;INTERVAL=2 from 2026-11-30"],
    ["pills daily at 8:00 until 31 december", "pills", "DAILY;UNTIL=20261231 from 2026-12-01T08:00:00"],
    ["pills every day for 10 times", "pills", "DAILY;COUNT=10 from 2026-11-30"],
    ["pills every day until friday", "pills", "DAILY;UNTIL=20261204 from 2026-11-30"],
    [
      "course every monday from next monday until 2027-03-01",
      "course",
      "WEEKLY;BYDAY=MO;UNTIL=20270301 from 2026-12-07",
    ],
    ["filter 3 months after completion", "filter", "MONTHLY;INTERVAL=3 from 2026-11-30 after completion"],
    ["filter every 3 months after it is done", "filter", "MONTHLY;INTERVAL=3 from 2026-11-30 after completion"],
    ["vacuum every! 2 weeks", "vacuum", "WEEKLY;INTERVAL=2 from 2026-11-30 after completion"],
    ["vacuum a week after completing it", "vacuum", "WEEKLY from 2026-11-30 after completion"],
  ])("%s", (text, title, meaning) => expect(read(text)).toEqual([title, meaning]));
});

describe("reminders, priorities, tags", () => {
  test.each([
    ["call at 17:00 remind me 30 minutes before", "call", "2026-11-30T17:00, remind PT30M"],
    ["call at 17:00, remind me an hour before", "call", "2026-11-30T17:00, remind PT1H"],
    ["call at 17:00 reminder 15m before", "call", "2026-11-30T17:00, remind PT15M"],
    ["call at 17:00 remind 1 hour and 30 minutes before", "call", "2026-11-30T17:00, remind PT1H30M"],
    ["call at 17:00 remind me half an hour before", "call", "2026-11-30T17:00, remind PT30M"],
    ["call friday remind me the day before at 18:00", "call", "2026-12-04, remind P1D@18:00"],
    ["call friday remind me the evening before", "call", "2026-12-04, remind P1D@18:00"],
    ["call friday remind me a day before", "call", "2026-12-04, remind P1D"],
    ["call friday remind me two weeks ahead", "call", "2026-12-04, remind P14D"],
    ["call at 17:00 remind me when it's due", "call", "2026-11-30T17:00, remind PT0S"],
    [
      "call at 17:00 remind me 10 minutes before and remind me an hour before",
      "call",
      "2026-11-30T17:00, remind PT10M PT1H",
    ],
    ["call at 17:00 no reminder", "call", "2026-11-30T17:00, remind never"],
    ["remind me to call Bob tomorrow at 10", "call Bob", "2026-12-01T10:00, remind PT0S"],
    ["remind me in 2 hours to stretch", "stretch", "2026-11-30T16:00, remind PT0S"],
    ["Remind me about the meeting", "the meeting", "no due"],
    ["brush teeth every day for 10 times", "brush teeth", "DAILY;COUNT=10 from 2026-11-30"],
    ["pay p1", "pay", "no due, High"],
    ["pay P3", "pay", "no due, Low"],
    ["pay medium priority", "pay", "no due, Medium"],
    ["pay p4", "pay", "no due"],
    ["pay #home #Work", "pay", "no due, #home, #Work"],
    ['pay #"two words"', "pay", "no due, #two words"],
    ["#home pay #home", "pay", "no due, #home"],
    [
      "Water the plants every other Saturday at 10, remind me 30 minutes before #home p1",
      "Water the plants",
      "WEEKLY;BYDAY=SA;INTERVAL=2 from 2026-12-05T10:00:00, remind PT30M, High, #home",
    ],
  ])("%s", (text, title, meaning) => expect(read(text)).toEqual([title, meaning]));
});

describe("what is no day, time or repetition stays in the title", () => {
  test.each([
    "who sat here",
    "buy 2 pizzas",
    "second draft of the letter",
    "read the second chapter",
    "mail 1st draft",
    "Weekly report",
    "monthly numbers for Eve",
    "the weekend trip",
    "May I have this dance",
    "march to the beat",
    "order 24 chairs",
    "room 17",
    "call 0151 2345",
    "party 5/6",
    "the sun in the garden",
    "fix p10 of the report",
    "catch-22: a review",
    "today's news",
    "foo@example.com about mondays2",
    "31.2. never was",
    "every hour drink water",
    "30 Feb meeting",
    "email #",
    "25:00 is no time",
    "pay Bob 12.50",
    "upgrade to Postgres 17.10",
    "finish the 2nd draft",
    "cut costs by 20 %",
    "look at 12 offers",
    "set up 24/7 support",
    "plan date night",
    "work Monday-Friday",
    "gym 3 times a week",
    "take pills 3 times a day",
    "rent a car until friday",
    "meet at midnight",
  ])("%s", (text) => expect(read(text)).toEqual([text, "no due"]));

  test.each([
    ['read "every day" by Tom tomorrow', "read every day by Tom", "2026-12-01"],
    ["watch 24 tonight", "watch 24", "2026-11-30T20:00"],
    ["May's birthday on june 3", "May's birthday", "2027-06-03"],
    ["quarterly review next month", "quarterly review", "2026-12-01"],
    ["the weekend trip this weekend", "the weekend trip", "2026-12-05"],
  ])("%s", (text, title, meaning) => expect(read(text)).toEqual([title, meaning]));
});

describe("on the clock of the person", () => {
  // Still Monday in New York and, just, in Berlin; Tuesday in Auckland.
  const now = new Date("2026-11-30T22:30:00Z");
  test.each([
    ["call today", "Europe/Berlin", "2026-11-30"],
    ["call today", "America/New_York", "2026-11-30"],
    ["call today", "Pacific/Auckland", "2026-12-01"],
    ["call tomorrow at 9am", "America/New_York", "2026-12-01T09:00"],
    ["call tomorrow at 9am", "Pacific/Auckland", "2026-12-02T09:00"],
    ["call 20:00", "Europe/Berlin", "2026-12-01T20:00"],
    ["call 20:00", "America/New_York", "2026-11-30T20:00"],
    ["call 20:00", "Pacific/Auckland", "2026-12-01T20:00"],
    ["call monday", "Europe/Berlin", "2026-11-30"],
    ["call monday", "Pacific/Auckland", "2026-12-07"],
    ["call next monday", "Pacific/Auckland", "2026-12-07"],
    ["call in 2 hours", "Europe/Berlin", "2026-12-01T01:30"],
    ["call in 2 hours", "America/New_York", "2026-11-30T19:30"],
    ["call in 2 hours", "Pacific/Auckland", "2026-12-01T13:30"],
    ["call next month", "Pacific/Auckland", "2027-01-01"],
    ["call every last friday", "Pacific/Auckland", "MONTHLY;BYDAY=-1FR from 2026-12-25"],
    ["call every day at 12:00", "America/New_York", "DAILY from 2026-12-01T12:00:00"],
    ["call every day at 12:00", "Pacific/Auckland", "DAILY from 2026-12-01T12:00:00"],
    ["call every day at 11:00", "Pacific/Auckland", "DAILY from 2026-12-02T11:00:00"],
  ])("%s in %s", (text, zone, meaning) => expect(read(text, { now, zone })[1]).toBe(meaning));
});

describe("what was understood is told", () => {
  const notesOf = (text: string) => readPhrase(text, monday).notes;

  test("piece by piece, with its place", () => {
    expect(readPhrase("Call Eve every last Friday 17:00 p1 #home", monday).pieces).toEqual([
      { text: "every last Friday", at: 9, means: "repeats every last Friday of the month at 17:00 (Europe/Berlin)" },
      { text: "17:00", at: 27, means: "repeats every last Friday of the month at 17:00 (Europe/Berlin)" },
      { text: "p1", at: 33, means: "priority High" },
      { text: "#home", at: 36, means: "tag home" },
    ]);
    expect(readPhrase("call tomorrow at 5pm", monday).pieces.map(({ means }) => means)).toEqual([
      "due 2026-12-01 17:00",
      "due 2026-12-01 17:00",
    ]);
  });

  test.each([
    [
      "call at 9",
      ['"9" was read as 09:00; write 9 am or 9 pm to choose', "09:00 has passed today, so it is due tomorrow"],
    ],
    ["call friday or monday", ['"monday" is a further one and stays in the title']],
    ["every hour drink", ['"every hour drink" was not understood and stays in the title']],
    ["party 5/6", ['"5/6" could be two days, so it stays in the title; write 5 June or 2027-06-05']],
    ["call remind me 10 minutes before", ["there is no due time that a reminder could come before"]],
    ["meet 14:30-15:00", ["a task has no end time: its beginning is its due"]],
    ["call tomorrow at 17:00", []],
    ["gym 3 times a week", ['"3 times" was not understood and stays in the title']],
    [
      "rent a car until friday",
      [
        '"until friday" says when something ends that does not repeat, so it stays in the title',
        '"friday" was not understood and stays in the title',
      ],
    ],
    ["stretch every day except sunday", ['"except" was not understood and stays in the title']],
    ["work Monday-Friday", ['"Monday" was not understood and stays in the title']],
    ["remind me to buy milk", ["there is no time at which to remind"]],
    ["standup monday 9:00", ["09:00 has passed today, so it is due in a week"]],
    ["cake out in 20 minutes tomorrow", ["of the times said, the one counted from now is the due"]],
  ])("%s", (text, notes) => expect([...notesOf(text)]).toEqual(notes));

  test.each(["tomorrow", "p1 #home", "   ", "every day at 9am"])("%p has no title", (text) => {
    expect(() => readPhrase(text, monday)).toThrow(Problem);
  });

  test("a repetition that never comes is refused", () => {
    expect(() => readPhrase("call every friday until yesterday", monday)).toThrow(Problem);
    expect(() => readPhrase("call every friday until 2020-01-01", monday)).toThrow(Problem);
  });

  test("a long text of words that could begin something takes no time to speak of", () => {
    readPhrase(`p1 a${" ".repeat(480)}b`, monday);
    const words = ["every", "in", "the", "next", "remind me", "1", "on", "a couple of", "until", "14", "mon", ","];
    const long = Array.from({ length: 300 }, (_, n) => words[(n * 7) % words.length])
      .join(" ")
      .slice(0, 1_000);
    const before = process.cpuUsage();
    for (let n = 0; n < 20; n++) readPhrase(`x ${long}`, monday);
    // Some 3 ms each; a pattern that backtracks takes seconds.
    expect(process.cpuUsage(before).user / 20_000).toBeLessThan(200);
  });

  test("capitals of any length keep their places", () =>
    expect(readPhrase("İİİ ẞ call tomorrow #İx", monday)).toMatchObject({
      task: { title: "İİİ ẞ call", due_on: "2026-12-01", tags: ["İx"] },
    }));
});
