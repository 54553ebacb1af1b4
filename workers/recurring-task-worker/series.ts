import type { MessageOf } from "../../shared/messages/message.ts";
import type { Occurrence, SeriesStatus } from "./decide-series.ts";
import type { Exceptions } from "./exception.ts";

/** A series as its rows tell it. */
export type Series = Readonly<{
  id: string;
  templateId: string;
  userId: string;
  status: SeriesStatus;
  wakeAt: Date | null;
  /** Raised with every new `wakeAt`, so that an older timer is stale. */
  generation: number;
  /**
   * Counts the changes that people made of the series itself: of its template's schedule, of exceptions, of what is
   * done ahead.
   */
  version: number;
  /** Raised by the database with every change that is saved. */
  revision: number;
  /** Those that can matter: see `SeriesQuestion`. */
  occurrences: readonly Occurrence[];
  /** Those that can matter: see `SeriesQuestion`. */
  exceptions: Exceptions;
  /** How many occurrences were made under each schedule, by its key. */
  made: Readonly<Record<string, number>>;
}>;

/** What a series asks of the task service, and tells everybody when it has ended. */
export type SeriesMessage = MessageOf<"CreateOccurrence"> | MessageOf<"RemoveOccurrence"> | MessageOf<"SeriesEnded">;

/** A series of which nothing is known yet. */
export function newSeries(templateId: string, userId: string): Series {
  const rest = {
    status: "stopped",
    wakeAt: null,
    generation: 0,
    version: 0,
    revision: 0,
    occurrences: [],
    made: {},
  } as const;
  return { id: templateId, templateId, userId, exceptions: new Map(), ...rest };
}
