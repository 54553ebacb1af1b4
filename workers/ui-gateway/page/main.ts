// The page: signs in, reads a snapshot, follows the stream from the snapshot's cursor and draws what it knows.
import { byId } from "../../../shared/page/element.ts";
import { addForm, type AddDraft } from "./add-form.ts";
import { makeAddQueue } from "./add-queue.ts";
import * as api from "./api.ts";
import { ask } from "./ask.ts";
import { makeBoard } from "./board.ts";
import { guardClicks } from "./guard-clicks.ts";
import { notify, type Notice } from "./notices.ts";
import { openNotifications, type NotificationsDialog } from "./notifications-dialog.ts";
import { offerZone } from "./offer-zone.ts";
import { openPreferences } from "./preferences-dialog.ts";
import { isSignedOut } from "./request.ts";
import type { Preferences } from "./shapes.ts";
import type { Filter } from "./store.ts";
import { makeUndoLater } from "./undo-later.ts";

let known: Preferences | null = null;
let told: NotificationsDialog | null = null;
let problem: Notice | null = null;
let sending: Notice | null = null;
guardClicks();
const undo = makeUndoLater();
const board = makeBoard({ attempt, explain, undo, onSignedOut: showWelcome, onTold, onLive, preferences: () => known });
const form = addForm();
const unsent = new Set<Notice>();
const queue = makeAddQueue<AddDraft>({
  send: async (fields, key) => board.add(await api.createTask(fields, key)),
  onFailed: ({ draft, fields, error, again }) => {
    const why = explain(error);
    if (form.isUntouched()) {
      form.show(draft);
      if (why !== null) tell(why);
      return;
    }
    // What is being typed now is not written over.
    const notice = notify({
      text: `“${fields.title}” was not added. ${why ?? "You are signed out."}`,
      kind: "error",
      key: crypto.randomUUID(),
      isKept: true,
      actions: [
        ["Try again", () => (unsent.delete(notice), again())],
        ["Discard", () => unsent.delete(notice)],
      ],
    });
    unsent.add(notice);
  },
  onWaiting: (count) => {
    sending?.close();
    sending = null;
    if (count > 1) sending = notify({ text: `Adding ${count} tasks…`, kind: "info", key: "sending" });
  },
});

async function start(): Promise<void> {
  try {
    const session = await api.whoAmI();
    await openBoard(session.user ?? session.user_id.slice(0, 8));
  } catch (error) {
    if (isSignedOut(error)) return showWelcome();
    tell(messageOf(error));
  }
}

function showWelcome(): void {
  board.close();
  known = null;
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  for (const id of ["board", "who", "state", "zone-offer"]) byId(id).hidden = true;
  byId("welcome").hidden = false;
  byId("sign-in").querySelector("input")?.focus();
}

async function openBoard(user: string): Promise<void> {
  byId("welcome").hidden = true;
  byId("user").textContent = user;
  for (const id of ["board", "who", "state"]) byId(id).hidden = false;
  await board.follow();
  // The tasks are there without them.
  void attempt(async () => usePreferences(await api.readPreferences()));
  void tellUnread();
}

let countSoon: ReturnType<typeof setTimeout> | undefined;
/** A reminder has fired or is over: within a moment it is counted, or put off. */
function onTold(): void {
  clearTimeout(countSoon);
  countSoon = setTimeout(() => {
    void tellUnread();
    told?.refresh();
  }, 1_500);
}

function onLive(): void {
  problem?.close();
}

async function tellUnread(): Promise<void> {
  // What cannot be counted now is counted with the next one.
  const unread = await api.countUnread().catch(() => null);
  if (unread === null) return;
  byId("notifications").textContent = unread === 0 ? "Notifications" : `Notifications (${unread})`;
}

function usePreferences(preferences: api.Versioned<Preferences>): void {
  known = preferences.value;
  form.tellUsual(known.default_reminders);
  board.draw();
  offerZone(preferences.value.tz, (tz) =>
    attempt(async () =>
      usePreferences(await api.putPreferences({ ...preferences, value: { ...preferences.value, tz } })),
    ),
  );
}

/** Runs what a person asked for; tells what went wrong where they see it, and draws again so no control lies. */
async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    problem?.close();
    await work();
  } catch (error) {
    const why = explain(error);
    if (why !== null) tell(why);
    board.draw();
  }
}

function tell(text: string): void {
  problem = notify({ text, kind: "error", key: "problem" });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The sentence for what went wrong; `null` where signing in again is all there is to say. */
function explain(error: unknown): string | null {
  if (!isSignedOut(error)) return messageOf(error);
  showWelcome();
  return null;
}

function hasUnsaved(): boolean {
  return queue.waiting() > 0 || unsent.size > 0 || board.hasUnsaved();
}

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = byId<HTMLFormElement>("sign-in");
  const button = fields.querySelector("button");
  if (button) button.disabled = true;
  void attempt(async () => {
    const user = String(new FormData(fields).get("user")).trim();
    await api.signIn(user);
    await openBoard(user);
  }).finally(() => {
    if (button) button.disabled = false;
  });
});

// Read and emptied at once: what is typed from now on is the next task.
byId("add").addEventListener("submit", (event) => {
  event.preventDefault();
  problem?.close();
  queue.add(form.draft(), form.read());
  form.clear();
});

byId("preferences").addEventListener(
  "click",
  () =>
    void attempt(() =>
      openPreferences({
        read: api.readPreferences,
        save: async (preferences) => {
          const answer = await api.putPreferences(preferences);
          usePreferences(answer);
          return answer;
        },
        explain,
      }),
    ),
);

byId("notifications").addEventListener(
  "click",
  () =>
    void attempt(async () => {
      told = await openNotifications({
        read: api.readNotifications,
        markRead: async () => {
          await api.markAllRead();
          await tellUnread();
        },
        resend: api.resend,
        preferences: () => known,
        explain,
      });
    }),
);

byId("sign-out").addEventListener(
  "click",
  () =>
    void attempt(async () => {
      if (hasUnsaved() && !(await mayLeave())) return;
      await undo.flush();
      await api.signOut();
      showWelcome();
    }),
);

async function mayLeave(): Promise<boolean> {
  const title = "Sign out without saving?";
  const text = "There are tasks or changes that are not saved yet.";
  return (await ask({ title, text, answers: [["leave", "Sign out"]] })) === "leave";
}

for (const tab of document.querySelectorAll<HTMLButtonElement>("[data-filter]"))
  tab.addEventListener("click", () => {
    for (const other of document.querySelectorAll("[data-filter]"))
      other.setAttribute("aria-pressed", String(other === tab));
    // The values in index.html are the filters.
    board.show(tab.dataset["filter"] as Filter);
  });

// Preferences and the dates of series are not streamed: another device may have changed them.
document.addEventListener("visibilitychange", () => {
  if (document.hidden || known === null) return;
  board.lookAgain();
  // What cannot be read now stays as it was known.
  void api.readPreferences().then(usePreferences, () => {});
});

window.addEventListener("pagehide", queue.flush);
window.addEventListener("beforeunload", (event) => {
  if (hasUnsaved()) event.preventDefault();
});

// "Overdue" and "today" change by themselves.
setInterval(board.draw, 60_000);
void start();
