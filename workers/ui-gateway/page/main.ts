// The page: signs in, reads a snapshot, follows the stream from the snapshot's cursor and draws what it knows.
import * as api from "./api.ts";
import { askFirstDue } from "./ask-first-due.ts";
import { byId } from "../../../shared/page/element.ts";
import { openLive, type Live } from "./live.ts";
import {
  applyAnswer,
  applyReminder,
  applyView,
  fromSnapshot,
  isShown,
  visible,
  type Filter,
  type Item,
  type State,
} from "./store.ts";
import { taskRow } from "./task-row.ts";
import { clearToasts, showToast } from "./toast.ts";

let state: State = new Map();
let filter: Filter = "open";
let live: Live | null = null;

const emptyText: Readonly<Record<Filter, string>> = {
  open: "Nothing to do. Add a task above.",
  completed: "Nothing completed yet.",
  repeating: "No repeating tasks yet. Choose “Repeat” when you add one.",
};

async function start(): Promise<void> {
  try {
    const session = await api.whoAmI();
    await openBoard(session.user ?? session.user_id.slice(0, 8));
  } catch (error) {
    if (api.isSignedOut(error)) return showWelcome();
    tell(error);
  }
}

function showWelcome(): void {
  live?.close();
  live = null;
  state = new Map();
  byId("toasts").replaceChildren();
  for (const id of ["board", "who", "state"]) byId(id).hidden = true;
  byId("welcome").hidden = false;
  byId("sign-in").querySelector("input")?.focus();
}

async function openBoard(user: string): Promise<void> {
  byId("welcome").hidden = true;
  byId("user").textContent = user;
  for (const id of ["board", "who", "state"]) byId(id).hidden = false;
  await follow();
}

async function follow(): Promise<void> {
  live?.close();
  showState("waiting");
  const snapshot = await api.readSnapshot();
  state = fromSnapshot(snapshot.tasks, snapshot.reminders);
  draw();
  live = openLive(snapshot.cursor, {
    onChange: ({ payload }) => {
      const merged = applyView(state, payload);
      state = merged.state;
      draw();
      for (const fired of merged.fired) showToast(fired, () => attempt(() => dismiss(fired.reminder.id)));
    },
    onReset: () => void attempt(follow),
    onSignedOut: showWelcome,
    onState: showState,
  });
}

function draw(): void {
  const now = new Date();
  const items = visible(state, filter);
  const list = byId("tasks");
  const focused = document.activeElement?.closest<HTMLElement>("[data-task]")?.dataset["task"];
  list.replaceChildren(...items.map((item) => taskRow(item, now, { toggle, remove })));
  if (focused)
    list.querySelector<HTMLElement>(`[data-task="${focused}"] input, [data-task="${focused}"] button`)?.focus();
  byId("empty").hidden = items.length > 0;
  byId("empty").textContent = emptyText[filter];
  clearToasts((id) => isShown(state, id));
}

const toggle = ({ task }: Item) =>
  attempt(async () => {
    state = applyAnswer(state, await (task.status === "open" ? api.completeTask(task.id) : api.reopenTask(task.id)));
    draw();
  });

const remove = ({ task }: Item) =>
  attempt(async () => {
    await api.deleteTask(task.id);
    state = new Map([...state].filter(([id]) => id !== task.id));
    draw();
  });

async function dismiss(reminderId: string): Promise<void> {
  state = applyReminder(state, await api.dismissReminder(reminderId));
  draw();
}

/** Runs what a person asked for; tells what went wrong where they see it, and draws again so no control lies. */
async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    byId("error").hidden = true;
    await work();
  } catch (error) {
    if (api.isSignedOut(error)) return showWelcome();
    tell(error);
    draw();
  }
}

function tell(error: unknown): void {
  byId("error").textContent = error instanceof Error ? error.message : String(error);
  byId("error").hidden = false;
}

function showState(now: "live" | "waiting"): void {
  byId("state").textContent = now === "live" ? "Live" : "Connecting…";
  byId("state").classList.toggle("live", now === "live");
}

function onSubmit(id: string, work: (fields: FormData, form: HTMLFormElement) => Promise<void>): void {
  const form = byId<HTMLFormElement>(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
    if (button) button.disabled = true;
    void attempt(() => work(new FormData(form), form)).finally(() => {
      if (button) button.disabled = false;
    });
  });
}

onSubmit("sign-in", async (fields) => {
  const user = String(fields.get("user")).trim();
  await api.signIn(user);
  await openBoard(user);
});

onSubmit("add", async (fields, form) => {
  const due = String(fields.get("due"));
  const rrule = String(fields.get("repeat"));
  const task = await api.createTask({
    title: String(fields.get("title")).trim(),
    due_date: due ? new Date(due).toISOString() : null,
    recurrence_pattern: rrule
      ? {
          rrule,
          tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
          anchor: String(fields.get("anchor")),
          ...(due ? { start: due } : {}),
        }
      : null,
  });
  state = applyAnswer(state, task);
  form.reset();
  byId("anchor-field").hidden = true;
  draw();
  form.querySelector<HTMLInputElement>("[name=title]")?.focus();
});

askFirstDue(byId<HTMLFormElement>("add"));
byId("add")
  .querySelector("[name=repeat]")
  ?.addEventListener("change", (event) => {
    byId("anchor-field").hidden = (event.target as HTMLSelectElement).value === "";
  });

byId("sign-out").addEventListener(
  "click",
  () => void attempt(async () => void (await api.signOut())).finally(showWelcome),
);

for (const tab of document.querySelectorAll<HTMLButtonElement>("[data-filter]"))
  tab.addEventListener("click", () => {
    filter = tab.dataset["filter"] as Filter;
    for (const other of document.querySelectorAll("[data-filter]"))
      other.setAttribute("aria-pressed", String(other === tab));
    draw();
  });

// "Overdue" and "today" change by themselves.
setInterval(draw, 60_000);
void start();
