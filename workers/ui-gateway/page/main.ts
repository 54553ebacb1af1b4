// The page: signs in, reads a snapshot, follows the stream from the snapshot's cursor and draws what it knows.
import { byId } from "../../../shared/page/element.ts";
import { makeAdding } from "./adding.ts";
import * as api from "./api.ts";
import { ask } from "./ask.ts";
import { makeBoard } from "./board.ts";
import { guardClicks } from "./guard-clicks.ts";
import { clearNotices, notify, type Notice } from "./notices.ts";
import { openNotifications, type NotificationsDialog } from "./notifications-dialog.ts";
import { forgetOffer, offerZone } from "./offer-zone.ts";
import { nameOf } from "./people.ts";
import { openPreferences } from "./preferences-dialog.ts";
import { isPassing, isSignedOut, isUnreached } from "./request.ts";
import type { PreferencesJson } from "./shapes.ts";
import type { TaskFilter } from "./store.ts";
import { offerOutside } from "./system-notices.ts";
import { onTabs, tellTabs } from "./tabs.ts";
import { makeUndoLater } from "./undo-later.ts";
import { waitForNetwork } from "./wait-for-network.ts";
import { makeWelcome } from "./welcome.ts";

const ended = "Your session has ended. Sign in again: what you have written is still here.";
const retryMs = 3_000;

let known: PreferencesJson | null = null;
let told: NotificationsDialog | null = null;
let problem: Notice | null = null;
/** Whether the problem is that the server cannot be reached. */
let isOutage = false;
/** Whose board is shown, or was shown last. */
let person: string | null = null;

guardClicks();
byId("reminders-head").append(offerOutside());
// What is focused or scrolled to comes to stand above what is at the lower edge.
new ResizeObserver(([entry]) => {
  document.documentElement.style.scrollPaddingBottom = `${Math.min(entry?.contentRect.height ?? 0, innerHeight / 2)}px`;
}).observe(byId("below"));
const undo = makeUndoLater();
const welcome = makeWelcome({ onSignedIn: announce, messageOf });
const board = makeBoard({
  attempt,
  explain,
  undo,
  onSignedOut: () => leave(ended),
  onTold,
  onReminders: (count) => (document.title = count === 0 ? "Taskwire" : `(${count}) Taskwire`),
  onLive: () => {
    if (isOutage) problem?.close();
  },
  preferences: () => known,
});
const adding = makeAdding({
  onAdded: board.add,
  onFailed: tell,
  explain,
  onSubmit: () => problem?.close(),
});
onTabs(() => void checkPerson());

async function start(): Promise<void> {
  for (;;)
    try {
      return await openBoard((await api.whoAmI()).user_id);
    } catch (error) {
      if (isSignedOut(error)) return leave("");
      isOutage = isUnreached(error);
      tell(messageOf(error));
      if (!isPassing(error)) return;
      await waitForNetwork(retryMs);
    }
}

async function announce(userId: string): Promise<void> {
  tellTabs();
  await openBoard(userId);
}

/** Shows who may sign in instead of the board. */
function leave(why: string): void {
  board.close();
  known = null;
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  for (const id of ["board", "who", "state"]) byId(id).hidden = true;
  forgetOffer();
  welcome.show(why);
}

async function openBoard(userId: string): Promise<void> {
  welcome.hide();
  problem?.close();
  if (userId !== person) {
    board.forget();
    clearNotices();
    adding.handOver(userId);
  }
  person = userId;
  byId("user").textContent = nameOf(userId);
  for (const id of ["board", "who", "state"]) byId(id).hidden = false;
  await board.follow();
  // The tasks are there without them.
  void attempt(async () => usePreferences(await api.readPreferences()));
  void tellUnread();
}

/** Another tab may have signed in another person, or out: nothing may be written into the wrong account. */
async function checkPerson(): Promise<void> {
  const shown = byId("board").hidden ? null : person;
  const session = await api.whoAmI().catch((error: unknown) => (isSignedOut(error) ? null : undefined));
  // Not reached: nobody knows better.
  if (session === undefined || (session?.user_id ?? null) === shown) return;
  if (session === null) return leave("You signed out in another tab.");
  board.close();
  await attempt(() => openBoard(session.user_id));
  notify({ text: `You are signed in as ${nameOf(session.user_id)} now.`, kind: "info", key: "person", seconds: 10 });
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

async function tellUnread(): Promise<void> {
  // What cannot be counted now is counted with the next one.
  const unread = await api.countUnread().catch(() => null);
  if (unread === null) return;
  byId("notifications").textContent = unread === 0 ? "Notifications" : `Notifications (${unread})`;
}

function usePreferences(preferences: api.WithEtag<PreferencesJson>): void {
  known = preferences.value;
  adding.tellUsual(known.default_reminders);
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
  isOutage = isUnreached(error);
  if (isOutage) board.doubt();
  if (!isSignedOut(error)) return messageOf(error);
  leave(ended);
  return null;
}

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

const hasUnsaved = () => adding.hasUnsent() || board.hasUnsaved();

byId("sign-out").addEventListener(
  "click",
  () =>
    void attempt(async () => {
      if (hasUnsaved() && !(await mayLeave())) return;
      await undo.flush();
      await api.signOut();
      tellTabs();
      clearNotices();
      leave("");
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
    board.show(tab.dataset["filter"] as TaskFilter);
  });

// Preferences and the dates of series are not streamed: another device may have changed them.
document.addEventListener("visibilitychange", () => {
  if (document.hidden || known === null) return;
  void checkPerson();
  board.lookAgain();
  // What cannot be read now stays as it was known.
  void api.readPreferences().then(usePreferences, () => {});
});

window.addEventListener("beforeunload", (event) => {
  if (hasUnsaved()) event.preventDefault();
});

// "Overdue" and "today" change by themselves.
setInterval(board.draw, 60_000);
void start();
