import { element } from "../../../shared/page/element.ts";
import type { WithEtag } from "./api.ts";
import { askedTypes, askFor } from "./channels.ts";
import { localOf } from "./due-fields.ts";
import { button, choice, labelled, showPart, tick } from "./fields.ts";
import { fieldsOf, preferencesOf, type PreferencesFields } from "./preferences-fields.ts";
import { reminderTicks } from "./remind-fields.ts";
import { weekdays } from "./repeat-rule.ts";
import { zoneHere } from "./repeat-words.ts";
import { notify } from "./notices.ts";
import { isOutdated } from "./request.ts";
import type { PreferencesJson } from "./shapes.ts";

type PreferencesDeps = Readonly<{
  read: () => Promise<WithEtag<PreferencesJson>>;
  /** Sends them, meant for the version that was read; resolves with what is there then. */
  save: (preferences: WithEtag<PreferencesJson>) => Promise<WithEtag<PreferencesJson>>;
  explain: (error: unknown) => string | null;
}>;

const savedNotAll = "Saved. What you changed meanwhile is not saved yet: save again, or cancel.";
const outdated = "Your preferences were changed elsewhere meanwhile. Save again to write these over them, or cancel.";
const weekdayWords = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/**
 * Asks for a person's preferences, as they are on the server now. Closed with Save, Cancel or Escape; left with
 * changes, it can be brought back.
 */
export async function openPreferences(deps: PreferencesDeps): Promise<void> {
  let base = await deps.read();
  const fields = fieldsOf(base.value, localTime);

  const zone = input("text", { name: "tz", required: true, list: "zones", autocomplete: "off", value: fields.tz });
  const zones = element("datalist", { id: "zones" }, ...zoneNames().map((name) => element("option", { value: name })));
  const here = button(`Use ${zoneHere()}`, { class: "quiet" });
  here.hidden = fields.tz === zoneHere();
  here.addEventListener("click", () => {
    zone.value = zoneHere();
    here.hidden = true;
  });
  const allDayAt = input("time", { name: "all_day_at", required: true, value: fields.allDayAt });
  const usual = reminderTicks("Usual reminders");
  usual.show(fields.reminders);

  const quiet = tick("Quiet hours", { name: "quiet", checked: fields.isQuiet });
  const from = input("time", { name: "quiet_from", required: true, value: fields.quietFrom });
  const to = input("time", { name: "quiet_to", required: true, value: fields.quietTo });
  const days = weekdays.map((day, index) =>
    tick(weekdayWords[index] ?? day, { value: day, checked: fields.quietDays.includes(day) }),
  );
  const quietPart = element(
    "div",
    { class: "more" },
    element("div", { class: "row" }, labelled("From", from), labelled("To", to)),
    element(
      "fieldset",
      {},
      element("legend", {}, "Beginning on"),
      element("div", { class: "ticks days" }, ...days.map(({ root }) => root)),
    ),
  );
  const urgent = tick("High priority is told all the same", { name: "urgent_passes", checked: fields.urgentPasses });
  const muted = input("datetime-local", { name: "muted_until", value: fields.mutedUntil });

  const late = choice({ name: "late" }, [
    ["deliver", "tell each, marked late"],
    ["collapse", "tell them as one"],
    ["drop", "leave them out"],
  ]);
  late.value = fields.latePolicy;
  const hours = input("number", { name: "late_hours", min: "0", max: "720", required: true, class: "number" });
  hours.value = String(fields.lateHours);
  const hoursPart = labelled("When later than, in hours", hours);

  const controls = askedTypes.flatMap((type) => {
    const control = askFor(type, fields.channels[type] ?? null);
    return control === null ? [] : [{ type, ...control }];
  });

  const refresh = () => {
    showPart(quietPart, quiet.box.checked);
    showPart(hoursPart, late.value === "drop");
    for (const control of controls) control.refresh?.();
  };
  const problem = element("p", { class: "error", role: "alert", hidden: true });
  const cancel = button("Cancel", { class: "quiet" });
  const save = element("button", { type: "submit" }, "Save");
  const group = (legend: string, ...parts: readonly Node[]) =>
    element("fieldset", {}, element("legend", {}, legend), ...parts);
  const form = element(
    "form",
    {},
    element("h2", { id: "preferences-title" }, "Preferences"),
    group(
      "Time",
      element("div", { class: "row" }, labelled("Time zone", zone), zones, here),
      labelled("Whole days count as due at", allDayAt),
    ),
    usual.root,
    group("Quiet", quiet.root, quietPart, labelled("Muted until", muted), urgent.root),
    group("What is late, after a breakdown", labelled("Late reminders", late), hoursPart),
    group("Where to tell you", ...controls.flatMap(({ parts }) => parts)),
    problem,
    element("div", { class: "actions" }, cancel, save),
  );
  form.addEventListener("input", refresh);
  refresh();

  const dialog = element("dialog", { class: "card preferences", "aria-labelledby": "preferences-title" }, form);
  const entered = (): PreferencesFields => ({
    tz: zone.value.trim(),
    allDayAt: allDayAt.value,
    reminders: usual.read(),
    isQuiet: quiet.box.checked,
    quietFrom: from.value,
    quietTo: to.value,
    quietDays: days.filter(({ box }) => box.checked).map(({ box }) => box.value),
    urgentPasses: urgent.box.checked,
    mutedUntil: muted.value,
    // The options of the choice are the policies.
    latePolicy: late.value as PreferencesJson["late"]["policy"],
    lateHours: Number(hours.value),
    channels: Object.fromEntries(controls.map(({ type, read }) => [type, read()])),
  });
  let saved = JSON.stringify(entered());
  const open = () => {
    document.body.append(dialog);
    dialog.showModal();
  };
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (JSON.stringify(entered()) === saved) return;
    notify({
      text: "Your preferences were not saved.",
      kind: "info",
      key: "preferences",
      seconds: 12,
      actions: [["Bring back", open]],
    });
  });
  const say = (text: string | null) => {
    problem.textContent = text;
    problem.hidden = problem.textContent === "";
  };
  const send = async () => {
    const sent = entered();
    base = await deps.save({ value: preferencesOf(sent, base.value, localTime), etag: base.etag });
    saved = JSON.stringify(sent);
    // The fields stay free while they are saved.
    if (JSON.stringify(entered()) === saved) dialog.close();
    else say(savedNotAll);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save.disabled = true;
    say("");
    void send()
      .catch(async (error: unknown) => {
        if (isOutdated(error)) base = await deps.read().catch(() => base);
        say(isOutdated(error) ? outdated : deps.explain(error));
      })
      .finally(() => (save.disabled = false));
  });
  open();
}

function input(type: string, attributes: Readonly<Record<string, string | boolean>>): HTMLInputElement {
  return element("input", { type, ...attributes });
}

/** Minutes, as the field shows them. */
const localTime = (time: string) => localOf({ due_date: time, due_on: null }).slice(0, 16);

function zoneNames(): readonly string[] {
  return Intl.supportedValuesOf("timeZone");
}
