import { Problem } from "../../../shared/problem.ts";
import { describePattern } from "../../../shared/recurrence/describe-pattern.ts";
import { parseRecurrencePattern } from "../../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences } from "../../../shared/recurrence/recurrence.ts";
import { wallText } from "../../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { dayAfter, dayOf } from "../calendar-days.ts";
import { scheduleOf } from "../cut-pattern.ts";
import type { RepeatSaid } from "./read-repeat.ts";
import { splitPhrase, type PhrasePiece } from "./split-phrase.ts";

/** The fields of a task that a phrase says, as POST /v1/tasks takes them; times are on the clock of the zone. */
type PhraseTask = Readonly<{
  title: string;
  due_date?: string;
  due_on?: string;
  priority?: "High" | "Medium" | "Low";
  tags?: readonly string[];
  remind?: readonly string[];
  recurrence_pattern?: Readonly<Record<string, unknown>>;
}>;

/** A piece of the text, and what it was taken for. `at` counts UTF-16 units from 0. */
type PhraseWords = Readonly<{ text: string; at: number; means: string }>;

type UnderstoodPhrase = Readonly<{
  task: PhraseTask;
  pieces: readonly PhraseWords[];
  /** What was decided without being said, and what was left in the title. */
  notes: readonly string[];
}>;

type PhraseSaid = {
  day?: string;
  starting?: string;
  until?: string;
  times?: number;
  time?: string;
  minutes?: number;
  repeat?: RepeatSaid;
  priority?: "High" | "Medium" | "Low" | null;
  reminds: string[] | null;
  remindsThen: boolean;
  tags: string[];
  /** Whether the day is a weekday without more. */
  isWeekday?: boolean;
};

/**
 * Reads a line such as "Water the plants every other Saturday at 10, remind me 30 minutes before #home p1". What means
 * nothing is the title; the first day, time and repetition count, a further one stays in the title and is noted. Throws
 * INVALID_REQUEST (`/text`) where no title is left, and for a repetition that never comes.
 */
export function readPhrase(text: string, { now, zone }: Readonly<{ now: Date; zone: string }>): UnderstoodPhrase {
  const today = dayOf(now, zone);
  const clock = wallText(zoneClock(zone).wallAt(now.getTime())).slice(11, 16);
  const said: PhraseSaid = { reminds: null, remindsThen: false, tags: [] };
  const notes: string[] = [];
  const taken: PhrasePiece[] = [];
  const found = splitPhrase(text, today);
  const repeats = found.some(({ is }) => is === "repeat");
  for (const piece of found) {
    const words = text.slice(piece.from, piece.to);
    if (!repeats && (piece.is === "until" || piece.is === "times")) {
      notes.push(`"${words}" says when something ends that does not repeat, so it stays in the title`);
      continue;
    }
    const note = take(said, piece);
    if (note === "again") notes.push(`"${words}" is a further one and stays in the title`);
    else taken.push(piece);
    if (piece.is === "day" && note !== "again")
      said.isWeekday = /^(?:on |by |due )?(?:mon|tue|wed|thu|fri|sat|sun)/i.test(words);
    if (piece.is === "clock" && piece.clock.note !== undefined && note !== "again") notes.push(piece.clock.note);
  }
  const title = titleOf(text, taken).replace(said.remindsThen ? /^to\s+/i : /^$/, "");
  if (title === "") throw mistake("has no words left for a title: quote what is one");
  const isNoted = (doubt: string) => notes.some((note) => note.startsWith(doubt.slice(0, doubt.indexOf('"', 1) + 1)));
  notes.push(...doubtsOf(title).filter((doubt) => !isNoted(doubt)));
  const pattern = patternOf(said, { zone, today, clock });
  const due = pattern === null ? dueOf(said, { now, today, clock, notes }) : null;
  const reminds = remindsOf(said, { isDue: due !== null || pattern !== null, notes });
  const task: PhraseTask = {
    title,
    ...(pattern === null ? due : { recurrence_pattern: pattern }),
    ...(said.priority ? { priority: said.priority } : {}),
    ...(said.tags.length === 0 ? {} : { tags: [...new Set(said.tags)] }),
    ...(reminds === null ? {} : { remind: reminds }),
  };
  const pieces = taken.map((piece) => ({
    text: text.slice(piece.from, piece.to),
    at: piece.from,
    means: meansOf(piece, task),
  }));
  return { task, pieces, notes };
}

/** Takes a piece for what it says, "again" where that is said already. */
function take(said: PhraseSaid, piece: PhrasePiece): "again" | null {
  switch (piece.is) {
    case "day":
      return once(said, "day", piece.day);
    case "starting":
      return once(said, "starting", piece.day);
    case "until":
      return once(said, "until", piece.day);
    case "times":
      return once(said, "times", piece.count);
    case "clock":
      return once(said, "time", piece.clock.time);
    case "in":
      return once(said, "minutes", piece.minutes);
    case "repeat":
      return once(said, "repeat", piece.repeat);
    case "priority":
      return once(said, "priority", piece.priority);
    case "remind":
      said.reminds = [...(said.reminds ?? []), ...(piece.rule === null ? [] : [piece.rule])];
      return null;
    case "remind-then":
      said.remindsThen = true;
      return null;
    case "tag":
      said.tags.push(piece.tag);
      return null;
    case "quoted":
      return null;
  }
}

function once<K extends keyof PhraseSaid>(said: PhraseSaid, name: K, value: PhraseSaid[K]): "again" | null {
  if (said[name] !== undefined) return "again";
  said[name] = value;
  return null;
}

type PhraseMoment = Readonly<{ now: Date; zone: string; today: string; clock: string; notes: string[] }>;

function dueOf(
  { day, starting, time, minutes, isWeekday }: PhraseSaid,
  { now, today, clock, notes }: Omit<PhraseMoment, "zone">,
): Readonly<{ due_date: string } | { due_on: string }> | null {
  if (minutes !== undefined) {
    if (day !== undefined || time !== undefined) notes.push("of the times said, the one counted from now is the due");
    // An instant: on the clock it may come twice.
    const at = Math.ceil((now.getTime() + minutes * 60_000) / 60_000) * 60_000;
    return { due_date: new Date(at).toISOString() };
  }
  const on = day ?? starting;
  if (time === undefined) return on === undefined ? null : { due_on: on };
  if (on === today && isWeekday === true && time <= clock) {
    notes.push(`${time} has passed today, so it is due in a week`);
    return { due_date: `${dayAfter(today, 7)}T${time}` };
  }
  if (on !== undefined) return { due_date: `${on}T${time}` };
  if (time > clock) return { due_date: `${today}T${time}` };
  notes.push(`${time} has passed today, so it is due tomorrow`);
  return { due_date: `${dayAfter(today, 1)}T${time}` };
}

function patternOf(
  { repeat, day, starting, until, times, time }: PhraseSaid,
  { zone, today, clock }: Pick<PhraseMoment, "zone" | "today" | "clock">,
): Readonly<Record<string, unknown>> | null {
  if (repeat === undefined) return null;
  const at = time ?? repeat.time;
  const from = starting ?? day ?? (at === undefined || at > clock ? today : dayAfter(today, 1));
  const { rule, interval, anchor, month_end } = repeat;
  const common = { tz: zone, anchor, ...(month_end === undefined ? {} : { month_end }) };
  const start = checkedBy(() =>
    firstStart({ ...common, rrule: rule, start: at === undefined ? from : `${from}T${at}:00` }),
  );
  const ends =
    until === undefined ? (times === undefined ? "" : `;COUNT=${times}`) : `;UNTIL=${until.replaceAll("-", "")}`;
  const rrule = `${rule}${interval === 1 ? "" : `;INTERVAL=${interval}`}${ends}`;
  return checked({ rrule, start, ...common });
}

/** Where the rule comes first, so that every other one is counted from there. */
function firstStart(pattern: Readonly<Record<string, unknown> & { start: string }>): string {
  const parsed = parseRecurrencePattern({ ...pattern, anchor: "schedule" });
  return makeRecurrences(scheduleOf({ ...parsed, start: pattern.start })).first()?.id ?? pattern.start;
}

function checked(pattern: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  checkedBy(() => parseRecurrencePattern(pattern));
  return pattern;
}

/** What is wrong with a pattern is wrong with the text. */
function checkedBy<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const reasons = (error.extra.mistakes ?? []).map(({ message }) => message);
    throw mistake(`repeats in a way that cannot be: ${reasons.join("; ")}`);
  }
}

function remindsOf(
  { reminds, remindsThen, day, time, minutes, repeat }: PhraseSaid,
  { isDue, notes }: Readonly<{ isDue: boolean; notes: string[] }>,
): readonly string[] | null {
  const isTimed = minutes !== undefined || time !== undefined || repeat?.time !== undefined || day !== undefined;
  const all = [...(reminds ?? []), ...(remindsThen && isTimed && reminds === null ? ["PT0S"] : [])];
  if (remindsThen && all.length === 0) notes.push("there is no time at which to remind");
  if (all.length > 0 && !isDue) notes.push("there is no due time that a reminder could come before");
  return all.length === 0 ? (reminds === null ? null : []) : [...new Set(all)];
}

/** The words that mean nothing else, without the blanks and commas that stood around those that do. */
function titleOf(text: string, taken: readonly PhrasePiece[]): string {
  if (taken.length === 0) return text.replaceAll(/\s+/g, " ").trim();
  let title = "";
  let at = 0;
  for (const piece of [...taken, null]) {
    const words = text.slice(at, piece?.from ?? text.length);
    title += words;
    if (piece === null) break;
    title += piece.is === "quoted" ? piece.text : "\uFFFC";
    at = piece.to;
  }
  return title
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ ?[,;]? ?\uFFFC(?: ?[,;]? ?\uFFFC)* ?[,;]? ?/g, " ")
    .replaceAll(/ +/g, " ")
    .trim()
    .replace(/ (?:and|on|at|by|for|from|,|-|–|:)$/i, "")
    .replace(/^(?:and|,|-|–|:)\s+/i, "")
    .trim();
}

/** What in a title looks as if it should have meant something. */
function doubtsOf(title: string): readonly string[] {
  const repeats = /\b(?:every|each) [\p{L}\p{N}]+(?: [\p{L}\p{N}]+)?/iu.exec(title)?.[0];
  const date = /(?<![\p{L}\p{N}/])\d{1,2}\/\d{1,2}(?![\p{N}/])/u.exec(title)?.[0];
  const left = /\b(?:midnight|except|\d+ times|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b/i.exec(
    title,
  )?.[0];
  return [
    ...(left === undefined ? [] : [`"${left}" was not understood and stays in the title`]),
    ...(repeats === undefined ? [] : [`"${repeats}" was not understood and stays in the title`]),
    ...(date === undefined
      ? []
      : [`"${date}" could be two days, so it stays in the title; write 5 June or 2027-06-05`]),
  ];
}

function meansOf(piece: PhrasePiece, task: PhraseTask): string {
  switch (piece.is) {
    case "day":
    case "clock":
    case "in":
    case "starting":
    case "until":
    case "times":
    case "repeat":
      return task.recurrence_pattern === undefined
        ? `due ${(task.due_date ?? task.due_on ?? "").replace("T", " ")}`
        : `repeats ${describePattern(asParts(task.recurrence_pattern))}`;
    case "remind":
      return piece.rule === null ? "no reminders" : `reminder ${piece.rule}`;
    case "remind-then":
      return "reminder when it is due";
    case "priority":
      return piece.priority === null ? "no priority" : `priority ${piece.priority}`;
    case "tag":
      return `tag ${piece.tag}`;
    case "quoted":
      return "title, as it is";
  }
}

type SpokenPattern = Parameters<typeof describePattern>[0];
const asParts = (pattern: Readonly<Record<string, unknown>>): SpokenPattern => pattern as SpokenPattern; // made above

function mistake(message: string): Problem {
  return new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path: "/text", message }] });
}
