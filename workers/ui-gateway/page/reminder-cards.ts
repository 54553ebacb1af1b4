import { byId, element } from "../../../shared/page/element.ts";
import type { SnoozePreset } from "./api.ts";
import { dueInWords } from "./due-words.ts";
import { button } from "./fields.ts";
import type { ReminderAlert } from "./store.ts";

type CardActions = Readonly<{
  /** Completes the task. */
  done: (fired: ReminderAlert) => Promise<void>;
  dismiss: (fired: readonly ReminderAlert[]) => Promise<void>;
  snooze: (fired: ReminderAlert, preset: SnoozePreset) => Promise<void>;
}>;

type ReminderCards = Readonly<{
  /** Shows a fired reminder until it is over, here or elsewhere. One card per reminder, however often it is told. */
  show: (fired: ReminderAlert) => void;
  focus: (reminderId: string) => void;
  /** Takes the cards away that are not to be shown any more. */
  keepOnly: (isShown: (reminderId: string) => boolean) => void;
  count: () => number;
}>;

type Card = Readonly<{ fired: ReminderAlert; root: HTMLElement }>;

const presets: readonly (readonly [preset: SnoozePreset, words: string])[] = [
  ["10m", "10 minutes"],
  ["1h", "1 hour"],
  ["tonight", "This evening"],
  ["tomorrow", "Tomorrow"],
];

/**
 * The reminders that have fired, newest first; the style sheet folds those beyond two, and all but the newest on a
 * phone.
 */
export function reminderCards(actions: CardActions, onCount: (count: number) => void): ReminderCards {
  const cards = new Map<string, Card>();
  const [section, list] = [byId("reminders"), byId("toasts")];
  const heading = element("p", { class: "grow" });
  const unfold = button("", { "aria-controls": "toasts" });
  const dismissAll = button("Dismiss all");
  byId("reminders-head").append(heading, unfold, dismissAll);
  let isUnfolded = false;
  let cameFrom: Element | null = null;

  const refresh = () => {
    if (cards.size < 2) isUnfolded = isUnfolded && cards.size > 0;
    section.hidden = cards.size === 0;
    section.classList.toggle("unfolded", isUnfolded);
    section.classList.toggle("many", cards.size > 2);
    heading.textContent = cards.size === 1 ? "1 reminder" : `${cards.size} reminders`;
    unfold.textContent = isUnfolded ? "Less" : cards.size === 1 ? "More" : `All ${cards.size}`;
    unfold.setAttribute("aria-expanded", String(isUnfolded));
    dismissAll.hidden = cards.size < 2;
    onCount(cards.size);
  };
  const remove = (id: string, { root }: Card) => {
    const hadFocus = root.contains(document.activeElement);
    const next = root.nextElementSibling ?? root.previousElementSibling;
    root.remove();
    cards.delete(id);
    if (!hadFocus) return;
    const instead = next?.querySelector("button") ?? (cameFrom?.isConnected ? cameFrom : byId("tasks"));
    if (instead instanceof HTMLElement) instead.focus({ preventScroll: true });
  };
  section.addEventListener("focusin", ({ relatedTarget }) => {
    if (relatedTarget instanceof Element && !section.contains(relatedTarget)) cameFrom = relatedTarget;
  });
  unfold.addEventListener("click", () => {
    isUnfolded = !isUnfolded;
    refresh();
  });
  dismissAll.addEventListener("click", () => void actions.dismiss([...cards.values()].map(({ fired }) => fired)));
  return {
    show: (fired) => {
      const { id } = fired.reminder;
      if (cards.has(id)) return;
      const root = card(fired, actions);
      cards.set(id, { fired, root });
      list.prepend(root);
      refresh();
    },
    focus: (id) => {
      isUnfolded = true;
      refresh();
      cards.get(id)?.root.querySelector("button")?.focus();
    },
    keepOnly: (isShown) => {
      const gone = [...cards].filter(([id]) => !isShown(id));
      for (const [id, one] of gone) remove(id, one);
      if (gone.length > 0) refresh();
    },
    count: () => cards.size,
  };
}

function card(fired: ReminderAlert, { done, dismiss, snooze }: CardActions): HTMLElement {
  const { task, reminder } = fired;
  const now = new Date();
  const due = dueInWords(task, now);
  let isBusy = false;
  // Not switched off while it works: a control that is off has no focus.
  const act = (text: string, name: string, work: () => Promise<void>) => {
    const made = button(text, name ? { "aria-label": name } : {});
    made.addEventListener("click", () => {
      if (isBusy) return;
      isBusy = true;
      root.setAttribute("aria-busy", "true");
      void work().finally(() => {
        isBusy = false;
        root.removeAttribute("aria-busy");
      });
    });
    return made;
  };
  const name = `Snooze reminder: ${task.title}`;
  const offered = presets.filter(([preset]) => preset !== "tonight" || now.getHours() < 20);
  const choices = element(
    "div",
    { class: "snooze", role: "group", "aria-label": name, hidden: true },
    ...offered.map(([preset, words]) => act(words, "", () => snooze(fired, preset))),
  );
  const later = button("Snooze", { class: "later", "aria-label": name, "aria-expanded": "false" });
  later.addEventListener("click", () => {
    choices.hidden = !choices.hidden;
    later.setAttribute("aria-expanded", String(!choices.hidden));
  });
  const away = act("Dismiss", `Dismiss reminder: ${task.title}`, () => dismiss([fired]));
  away.classList.add("later");
  const root = element(
    "div",
    { class: "toast", "data-reminder": reminder.id },
    element(
      "div",
      { class: "told" },
      element("p", { dir: "auto" }, `Reminder: ${task.title}`),
      ...(due ? [element("p", { class: "small" }, `Due ${due}`)] : []),
    ),
    act("Done", `Done: ${task.title}`, () => done(fired)),
    later,
    away,
    choices,
  );
  return root;
}
