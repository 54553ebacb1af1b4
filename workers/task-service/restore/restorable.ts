/** So many days after its deletion a task is listed as deleted and can be restored. */
export const restorableDays = 30;

/** What was deleted after this moment can be restored. */
export function restorableSince(now: Date): Date {
  return new Date(now.getTime() - restorableDays * 86_400_000);
}
