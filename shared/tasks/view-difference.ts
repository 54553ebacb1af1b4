/**
 * A view that is not what the tables say: the fields, each as it is and as it should be. `isBehind`: an event may be on
 * its way. What the broadcaster finds and `ops rebuild views` shows.
 */
export type ViewDifference = Readonly<{
  taskId: string;
  isMissing: boolean;
  isBehind: boolean;
  fields: readonly Readonly<{ name: string; is: unknown; should: unknown }>[];
}>;

export type ViewExamination = Readonly<{ examined: number; differences: readonly ViewDifference[] }>;
/** `mended`: the tasks whose views were written anew. */
export type RebuiltViews = ViewExamination & Readonly<{ mended: readonly string[] }>;
