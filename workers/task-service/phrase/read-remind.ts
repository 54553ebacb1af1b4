import { clockTime, readClock } from "./read-clock.ts";
import { count, countNamed, unitNamed, type PhraseGroups } from "./phrase-words.ts";

const span = `(?<many>${count}|half an) ?(?<unit>minutes?|mins?|hours?|hrs?|days?|weeks?|[mhdw])`;

/**
 * `remind me 30 minutes before`, `reminder an hour before`, `remind me the day before at 18:00`, `remind me when it's
 * due`.
 */
export const remindPhrase =
  `(?:and )?(?:!|with a reminder |remind(?: me|er)? )(?:${span}(?: and (?<more>${count}) ?(?<moreUnit>minutes?|mins?|hours?|hrs?))? ` +
  `(?:before(?:hand)?|early|earlier|ahead)|(?:on )?the (?<eve>day|evening) before(?: (?:${clockTime}))?|(?<due>when (?:it is|it's) due|at the due time))`;

export const noRemindPhrase = "(?:without (?:a )?reminders?|no reminders?|don't remind me)";

const minutesOf = { minute: 1, hour: 60, day: 1_440, week: 10_080, month: 0, year: 0 } as const;

/** The rule that a reminder before the due time is, as `remind` of a task has it. */
export function readRemind(groups: PhraseGroups): string {
  if (groups["due"] !== undefined) return "PT0S";
  if (groups["eve"] !== undefined) {
    const isSaid = ["hour24", "hour12", "bare", "named", "part", "night"].some((name) => groups[name] !== undefined);
    if (isSaid) return `P1D@${readClock(groups).time}`;
    return groups["eve"] === "evening" ? "P1D@18:00" : "P1D";
  }
  const minutes = spanMinutes(groups["many"], groups["unit"]) + spanMinutes(groups["more"], groups["moreUnit"]);
  if (minutes % 1_440 === 0) return `P${minutes / 1_440}D`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return `PT${hours === 0 ? "" : `${hours}H`}${rest === 0 ? "" : `${rest}M`}`;
}

function spanMinutes(many: string | undefined, unit: string | undefined): number {
  if (many === undefined || unit === undefined) return 0;
  return (many === "half an" ? 0.5 : countNamed(many)) * minutesOf[unitNamed(unit)];
}
