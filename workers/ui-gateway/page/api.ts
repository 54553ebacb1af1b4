import type { SendChange } from "./change-date.ts";
import type { ControlField } from "./plain-controls.ts";
import { request } from "./request.ts";
import type {
  HistoryJson,
  NotificationJson,
  OccurrenceJson,
  ListPage,
  PreferencesJson,
  ReminderJson,
  SeriesJson,
  SessionJson,
  SignIn,
  Task,
} from "./shapes.ts";
import type { RepeatPattern } from "./repeat-rule.ts";

/** What the forms say of a task. */
export type TaskFields = Pick<Task, "title" | "due_date" | "due_on" | ControlField> &
  Readonly<{ recurrence_pattern: RepeatPattern | null }>;

/** How far a change of an occurrence reaches: it alone, it and those after it, or the whole series. */
export type ChangeScope = "this" | "future" | "all";
export type SnoozePreset = "10m" | "1h" | "tonight" | "tomorrow";
export type Snapshot = Readonly<{ tasks: readonly Task[]; reminders: readonly ReminderJson[]; cursor: string | null }>;
export type WithEtag<T> = Readonly<{ value: T; etag: string | null }>;

const body = async <T>(answer: Promise<Readonly<{ body: T }>>): Promise<T> => (await answer).body;

export const whoAmI = () => body(request<SessionJson>("GET", "/v1/session"));
export const signIn = (user: string) => body(request<SessionJson>("POST", "/v1/session", { body: { user } }));
/** Makes a token of the identity provider the session of this browser. */
export const keepToken = (token: string) => body(request<SessionJson>("POST", "/v1/session/cookie", { token }));
export const howToSignIn = () => body(request<SignIn>("GET", "/v1/sign-in"));
export const signOut = () => body(request<null>("DELETE", "/v1/session"));
/** Sent again with the same key, it is made once. */
export const createTask = (task: TaskFields, key: string) =>
  body(request<Task>("POST", "/v1/tasks", { body: task, key }));
export const completeTask = (id: string) => body(request<Task>("POST", `/v1/tasks/${id}/complete`));
export const reopenTask = (id: string) => body(request<Task>("POST", `/v1/tasks/${id}/reopen`));
export const stopAfter = (id: string) => body(request<Task>("POST", `/v1/tasks/${id}/stop-after`));
export const deleteTask = (id: string, scope: ChangeScope) =>
  body(request<null>("DELETE", `/v1/tasks/${id}${scopeQuery(scope)}`));
export const changeTask = (task: Task, patch: Partial<TaskFields>, scope: ChangeScope) =>
  body(request<Task>("PATCH", `/v1/tasks/${task.id}${scopeQuery(scope)}`, { body: patch, ifMatch: task.version }));
export const dismissReminder = (id: string) => body(request<ReminderJson>("POST", `/v1/reminders/${id}/dismiss`));
export const snoozeReminder = (id: string, preset: SnoozePreset) =>
  body(request<ReminderJson>("POST", `/v1/reminders/${id}/snooze`, { body: { preset } }));

export const readAllSeries = () => readAll<SeriesJson>("/v1/series?limit=200");
export const readSeries = (id: string) => body(request<SeriesJson>("GET", `/v1/series/${id}`));
/** The recurrences from this morning on: more than are shown, as skipped ones are among them. */
export const readOccurrences = async (id: string) => {
  const from = encodeURIComponent(startOfToday().toISOString());
  const path = `/v1/series/${id}/occurrences?from=${from}&limit=20`;
  return (await request<{ items: readonly OccurrenceJson[] }>("GET", path)).body.items;
};
export const readHistory = (id: string) => body(request<HistoryJson>("GET", `/v1/series/${id}/history`));
export const changeOccurrence: SendChange = (series, recurrenceId, { wants, body: sent }) =>
  body(
    request<OccurrenceJson>(
      "POST",
      `/v1/series/${series.id}/occurrences/${encodeURIComponent(recurrenceId)}/${wants}`,
      {
        ifMatch: series.version,
        ...(sent === null ? {} : { body: sent }),
      },
    ),
  );

/** A page of them, newest first. */
export const readNotifications = (cursor: string | null) =>
  body(
    request<ListPage<NotificationJson>>(
      "GET",
      `/v1/notifications?limit=20${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    ),
  );
export const countUnread = async () =>
  (await body(request<{ unread: number }>("GET", "/v1/notifications/unread"))).unread;
export const markAllRead = () => body(request<{ read: number }>("POST", "/v1/notifications/read-all"));
export const resend = (id: string) => body(request<NotificationJson>("POST", `/v1/notifications/${id}/resend`));

export async function readPreferences(): Promise<WithEtag<PreferencesJson>> {
  const answer = await request<PreferencesJson>("GET", "/v1/preferences");
  return { value: answer.body, etag: answer.headers.get("etag") };
}
export async function putPreferences({ value, etag }: WithEtag<PreferencesJson>): Promise<WithEtag<PreferencesJson>> {
  const answer = await request<PreferencesJson>("PUT", "/v1/preferences", { body: value, ifMatch: etag });
  return { value: answer.body, etag: answer.headers.get("etag") };
}

/** Every task and reminder with the stream position from before the first read: streaming from there misses nothing. */
export async function readSnapshot(): Promise<Snapshot> {
  let cursor: string | null = null;
  const noteCursor = (headers: Headers) => (cursor ??= headers.get("x-stream-cursor"));
  const tasks = await readAll<Task>("/v1/tasks?status=all&templates=true&limit=200", noteCursor);
  const reminders = await readAll<ReminderJson>("/v1/reminders?limit=200", noteCursor);
  return { tasks, reminders, cursor };
}

async function readAll<T>(path: string, onHeaders?: (headers: Headers) => void): Promise<readonly T[]> {
  const items: T[] = [];
  for (let next: string | null = null; ;) {
    const from: string = next ? `${path}&cursor=${encodeURIComponent(next)}` : path;
    const page = await request<ListPage<T>>("GET", from);
    onHeaders?.(page.headers);
    items.push(...page.body.items);
    next = page.body.next_cursor;
    if (!next) return items;
  }
}

/** What is due today, all day or some hours ago, is still to be seen. */
function startOfToday(): Date {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate());
}

function scopeQuery(scope: ChangeScope): string {
  return scope === "this" ? "" : `?scope=${scope}`;
}
