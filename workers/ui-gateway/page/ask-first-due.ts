/** A repeating task without one would begin now, and be overdue at once. */
const message = "Say when it is due for the first time: a repeating task counts from there.";

/** Makes the form's Due field required, with its reason, exactly while a repetition is chosen and it is empty. */
export function askFirstDue(form: HTMLFormElement): void {
  const due = form.querySelector<HTMLInputElement>("[name=due]");
  const repeat = form.querySelector<HTMLSelectElement>("[name=repeat]");
  const hint = form.querySelector<HTMLElement>("#due-hint");
  if (!due || !repeat || !hint) return;
  const ask = () => {
    due.required = repeat.value !== "";
    due.setCustomValidity(due.validity.valueMissing ? message : "");
    hint.hidden = !due.required;
  };
  for (const field of [due, repeat]) for (const event of ["input", "change"]) field.addEventListener(event, ask);
  // The fields are empty only after the event.
  form.addEventListener("reset", () => setTimeout(ask));
  ask();
}
