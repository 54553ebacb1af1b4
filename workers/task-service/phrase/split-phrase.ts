import { clockTime, partOfDay, readClock, type ClockTime } from "./read-clock.ts";
import { dayPhrases } from "./read-day.ts";
import { count, countNamed, unitNamed, type PhraseGroups } from "./phrase-words.ts";
import { noRemindPhrase, readRemind, remindPhrase } from "./read-remind.ts";
import { repeatPhrases, type RepeatSaid } from "./read-repeat.ts";

/** What some words of a phrase mean. */
type PieceMeaning =
  | Readonly<{ is: "day"; day: string }>
  | Readonly<{ is: "until"; day: string }>
  | Readonly<{ is: "starting"; day: string }>
  | Readonly<{ is: "times"; count: number }>
  | Readonly<{ is: "clock"; clock: ClockTime }>
  | Readonly<{ is: "in"; minutes: number }>
  | Readonly<{ is: "repeat"; repeat: RepeatSaid }>
  | Readonly<{ is: "remind"; rule: string | null }>
  | Readonly<{ is: "remind-then" }>
  | Readonly<{ is: "priority"; priority: "High" | "Medium" | "Low" | null }>
  | Readonly<{ is: "tag"; tag: string }>
  | Readonly<{ is: "quoted"; text: string }>;
export type PhrasePiece = PieceMeaning & Readonly<{ from: number; to: number }>;
type PieceReader = Readonly<{ shape: RegExp; read: (found: RegExpExecArray, today: string) => PieceMeaning | null }>;

const groupsOf = ({ groups = {} }: RegExpExecArray): PhraseGroups => groups;
const priorities = { p1: "High", p2: "Medium", p3: "Low", p4: null } as const;
const byName = { high: "High", medium: "Medium", low: "Low", no: null } as const;

/** Of a shape from a place on, that ends where a word ends. */
function shapeOf(source: string): RegExp {
  return new RegExp(`(?:${source})(?![\\p{L}\\p{N}_]|['’]\\p{L})`, "uy");
}

const readers: readonly PieceReader[] = [
  { shape: /"([^"]+)"/uy, read: ([, text = ""]) => ({ is: "quoted", text }) },
  {
    shape: /#"([^"]+)"|#([^\s#,"]+)/uy,
    read: ([, quoted, bare]) => ({ is: "tag", tag: (quoted ?? bare ?? "").trim() }),
  },
  {
    shape: shapeOf("!?(p[1-4])|(high|medium|low|no) priority"),
    read: ([, short, named]) => ({
      is: "priority",
      priority:
        short === undefined ? byName[named as keyof typeof byName] : priorities[short as keyof typeof priorities], // as the shape has it
    }),
  },
  { shape: shapeOf(remindPhrase), read: (found) => ({ is: "remind", rule: readRemind(groupsOf(found)) }) },
  { shape: shapeOf(noRemindPhrase), read: () => ({ is: "remind", rule: null }) },
  { shape: shapeOf("(?:please )?remind me(?: to| about)?"), read: () => ({ is: "remind-then" }) },
  ...repeatPhrases.map(({ source, repeat }) => ({
    shape: shapeOf(source),
    read: (found: RegExpExecArray): PieceMeaning | null => {
      const said = repeat(groupsOf(found));
      return said === null ? null : { is: "repeat", repeat: said };
    },
  })),
  ...dayPhrases.flatMap(({ source, day }) =>
    (
      [
        ["until", "(?:until|till|ending(?: on)?|through) (?:the )?"],
        ["starting", "(?:starting|beginning|from)(?: on| from)? (?:the )?"],
        ["day", "(?:(?:due )?(?:on|by|due|before|this coming) )?"],
      ] as const
    ).map(([is, before]) => ({
      shape: shapeOf(`${before}(?:${source})`),
      read: (found: RegExpExecArray, today: string): PieceMeaning | null => {
        const said = day(groupsOf(found), today);
        return said === null ? null : { is, day: said };
      },
    })),
  ),
  {
    shape: shapeOf(`for (\\d{1,4}) times(?! (?:a|an|per|every|each|daily))`),
    read: ([, times]) => ({ is: "times", count: Number(times) }),
  },
  {
    shape: shapeOf(`in (?:(?<half>half an hour)|(?<many>${count}) ?(?<unit>minutes?|mins?|hours?|hrs?|[mh]))`),
    read: (found) => {
      const { half, many = "1", unit = "m" } = groupsOf(found);
      return { is: "in", minutes: half === undefined ? countNamed(many) * (unitNamed(unit) === "hour" ? 60 : 1) : 30 };
    },
  },
  { shape: shapeOf(clockTime), read: (found) => ({ is: "clock", clock: readClock(groupsOf(found)) }) },
];

/**
 * Words that name a day or a repetition and are other words as well ("weekly report"): these they are at the end alone,
 * or where more is said.
 */
const doubtful =
  /^(?:the \d+(?:st|nd|rd|th)|(?:at|by|@) ?\d+|sat|sun|mon|wed|weekend|weekends|weekdays|workdays|daily|weekly|monthly|quarterly|yearly|annually|nightly|night)$/;

/**
 * The pieces of a phrase that mean something, in their order; of those that begin at one place the longest. What lies
 * between them are words of the title. Each begins where a word begins.
 */
export function splitPhrase(text: string, today: string): readonly PhrasePiece[] {
  const small = lowered(text);
  const pieces: PhrasePiece[] = [];
  for (const { index } of small.matchAll(/(?<![\p{L}\p{N}_'’-])[\p{L}\p{N}#"!@]/gu)) {
    const last = pieces.at(-1);
    if (last !== undefined && index < last.to) continue;
    const found = longestAt(small, text, index, today) ?? partAt(small, index, last);
    // "every day except sunday" is not understood, and no Sunday.
    if (found !== null && !/\b(?:except|but not)(?: on)? $/.test(small.slice(0, index))) pieces.push(found);
  }
  return pieces;
}

const partShape = shapeOf(partOfDay);

/** "morning" right behind a day, or days, is a time. */
function partAt(small: string, from: number, last: PhrasePiece | undefined): PhrasePiece | null {
  if ((last?.is !== "day" && last?.is !== "repeat") || small.slice(last.to, from).trim() !== "") return null;
  partShape.lastIndex = from;
  const found = partShape.exec(small);
  return found === null ? null : { is: "clock", clock: readClock(groupsOf(found)), from, to: from + found[0].length };
}

function longestAt(small: string, text: string, from: number, today: string): PhrasePiece | null {
  let longest: PhrasePiece | null = null;
  for (const { shape, read } of readers) {
    shape.lastIndex = from;
    const found = shape.exec(small);
    if (found === null || from + found[0].length <= (longest?.to ?? from)) continue;
    const meaning = read(found, today);
    if (meaning === null || isDoubtful(small, from, found[0])) continue;
    longest = { ...asWritten(meaning, text, from, found[0]), from, to: from + found[0].length };
  }
  return longest;
}

/** "sat" in "who sat here" is no Saturday. */
function isDoubtful(small: string, from: number, words: string): boolean {
  if (!doubtful.test(words)) return false;
  // "At 5 call mum", but "look at 12 offers".
  if (from === 0 && /^(?:at|by|@)/.test(words)) return false;
  const rest = small.slice(from + words.length).trim();
  return (
    rest !== "" &&
    !/^(?:[#,!]|at |by |on |with |for |p[1-4]\b|[01]?\d[:ap\s]|2[0-3]:|remind|no reminder|noon|every|each|daily|starting|from|until|today|tomorrow|tonight|this|next|mon|tue|wed|thu|fri|sat|sun)/.test(
      rest,
    )
  );
}

/** Tags and quoted words keep their capitals. */
function asWritten(meaning: PieceMeaning, text: string, from: number, found: string): PieceMeaning {
  const said = text.slice(from, from + found.length);
  if (meaning.is === "quoted") return { ...meaning, text: said.slice(1, -1) };
  return meaning.is === "tag" ? { ...meaning, tag: said.replace(/^#"?/, "").replace(/"$/, "").trim() } : meaning;
}

/** In small letters, character by character, so that places stay what they are. */
function lowered(text: string): string {
  return text.replace(/[\s\S]/g, (unit) => {
    const small = unit.toLowerCase();
    return small.length === 1 ? small : unit;
  });
}
