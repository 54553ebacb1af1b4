// The page: signs in, reads a snapshot, follows the stream from the snapshot's cursor and draws what it knows.
import { byId } from "../../../shared/page/element.ts";
import { addForm } from "./add-form.ts";
import * as api from "./api.ts";
import { makeBoard } from "./board.ts";
import { openNotifications, type NotificationsDialog } from "./notifications-dialog.ts";
import { offerZone } from "./offer-zone.ts";
import { openPreferences } from "./preferences-dialog.ts";
import { isSignedOut } from "./request.ts";
import type { Preferences } from "./shapes.ts";
import type { Filter } from "./store.ts";

let known: Preferences | null = null;
let told: NotificationsDialog | null = null;
const board = makeBoard({ attempt, explain, onSignedOut: showWelcome, onFired, preferences: () => known });
const form = addForm();

async function start(): Promise<void> {
  try {
    const session = await api.whoAmI();
    await openBoard(session.user ?? session.user_id.slice(0, 8));
  } catch (error) {
    if (isSignedOut(error)) return showWelcome();
    tell(error);
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

/** A reminder has fired: it is told within a moment, or put off. */
function onFired(): void {
  setTimeout(() => {
    void tellUnread();
    told?.refresh();
  }, 1_500);
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
    byId("error").hidden = true;
    await work();
  } catch (error) {
    if (isSignedOut(error)) return showWelcome();
    tell(error);
    board.draw();
  }
}

function tell(error: unknown): void {
  byId("error").textContent = error instanceof Error ? error.message : String(error);
  byId("error").hidden = false;
}

/** For a part of the page that tells it itself. */
function explain(error: unknown): string | null {
  if (!isSignedOut(error)) return error instanceof Error ? error.message : String(error);
  showWelcome();
  return null;
}

function onSubmit(id: string, work: (fields: FormData) => Promise<void>): void {
  const submitted = byId<HTMLFormElement>(id);
  submitted.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = submitted.querySelector<HTMLButtonElement>("button[type=submit]");
    if (button) button.disabled = true;
    void attempt(() => work(new FormData(submitted))).finally(() => {
      if (button) button.disabled = false;
    });
  });
}

onSubmit("sign-in", async (fields) => {
  const user = String(fields.get("user")).trim();
  await api.signIn(user);
  await openBoard(user);
});

onSubmit("add", async () => {
  board.add(await api.createTask(form.read()));
  form.clear();
});

byId("preferences").addEventListener(
  "click",
  () =>
    void attempt(() =>
      openPreferences({
        read: api.readPreferences,
        save: async (preferences) => usePreferences(await api.putPreferences(preferences)),
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
  () => void attempt(async () => void (await api.signOut())).finally(showWelcome),
);

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

// "Overdue" and "today" change by themselves.
setInterval(board.draw, 60_000);
void start();
