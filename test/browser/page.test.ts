import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { accessibilityProblems } from "../support/browser.ts";
import {
  add,
  addForm as form,
  dueField as due,
  localTime,
  look,
  pick,
  row,
  signIn,
  usePages,
} from "../support/pages.ts";

const pages = usePages();
const openPage = () => pages.open();

test("a task is added, completed, reopened and deleted, and another device of the same person follows", async () => {
  const [laptop, phone] = [await openPage(), await openPage()];
  await look(laptop, "1-welcome");
  expect(await accessibilityProblems(laptop)).toEqual([]);
  await signIn(laptop, "ada");
  await signIn(phone, "ada");

  await laptop.getByLabel("What needs doing?").fill("Buy <b>bread</b>");
  await add(laptop);
  await row(laptop, "Buy <b>bread</b>").waitFor();
  await row(phone, "Buy <b>bread</b>").waitFor();
  await look(laptop, "2-board");
  expect(await accessibilityProblems(laptop)).toEqual([]);

  await row(laptop, "bread").getByRole("checkbox").click();
  await phone.getByText("Nothing to do").waitFor();
  await phone.getByRole("button", { name: "Completed", exact: true }).click();
  await row(phone, "bread").getByRole("checkbox").click();
  await row(laptop, "bread").waitFor();
  await laptop.getByRole("button", { name: "Delete Buy <b>bread</b>" }).click();
  await laptop.getByText("Nothing to do").waitFor();
}, 60_000);

test("a due task's reminder pops up as a toast and, dismissed on one device, leaves the other", async () => {
  const [laptop, phone] = [await openPage(), await openPage()];
  await signIn(laptop, "ben");
  await signIn(phone, "ben");
  await laptop.getByLabel("What needs doing?").fill("Take the cake out");
  // datetime-local takes seconds when they are typed in; the page passes them on.
  await due(laptop).fill(await localTime(laptop, 4000));
  await add(laptop);
  await laptop.getByText("Reminder: Take the cake out").waitFor();
  await phone.getByText("Reminder: Take the cake out").waitFor();
  await look(laptop, "3-toast");
  expect(await accessibilityProblems(laptop)).toEqual([]);
  await laptop.getByRole("button", { name: "Dismiss reminder: Take the cake out" }).click();
  await phone.getByText("Reminder: Take the cake out").waitFor({ state: "detached" });
}, 60_000);

test("a reminder that popped up leaves every device when its task is completed", async () => {
  const [laptop, phone] = [await openPage(), await openPage()];
  await signIn(laptop, "bea");
  await signIn(phone, "bea");
  await laptop.getByLabel("What needs doing?").fill("Call the plumber");
  await due(laptop).fill(await localTime(laptop, 3000));
  await add(laptop);
  const toasts = [laptop, phone].map((page) => page.getByText("Reminder: Call the plumber"));
  for (const toast of toasts) await toast.waitFor();
  await row(phone, "Call the plumber").getByRole("checkbox").click();
  for (const toast of toasts) await toast.waitFor({ state: "detached" });
}, 60_000);

test("a repeating task is asked for its first time, and without one nothing is sent", async () => {
  const page = await openPage();
  const sent: string[] = [];
  page.on("request", (request) => void (request.method() === "POST" && sent.push(request.url())));
  await signIn(page, "cem");
  sent.length = 0;
  const complaint = () => due(page).evaluate((field: HTMLInputElement) => field.validationMessage);
  await page.getByLabel("What needs doing?").fill("Stretch");
  expect(await complaint()).toBe("");
  await pick(page, "Repeat", "every day");
  await page.getByRole("textbox", { name: "Due for the first time" }).waitFor();
  await add(page);
  expect([await complaint(), await due(page).evaluate((field) => field === document.activeElement), sent]).toEqual([
    "Say when it is due for the first time: a repeating task counts from there.",
    true,
    [],
  ]);
  await look(page, "6-first-due");
  expect(await accessibilityProblems(page)).toEqual([]);
  await due(page).fill(await localTime(page, 3_600_000));
  await add(page);
  await row(page, "Stretch").getByText("Due today").or(row(page, "Stretch").getByText("Due tomorrow")).waitFor();
  // The form is empty again and asks for nothing.
  await page.getByRole("textbox", { name: "Due", exact: true }).waitFor();
  expect([await complaint(), await due(page).inputValue()]).toEqual(["", ""]);
}, 60_000);

test("a repeating task shows its first occurrence among the open ones and itself under Repeating", async () => {
  const page = await openPage();
  await signIn(page, "cleo");
  await page.getByLabel("What needs doing?").fill("Water the plants");
  await due(page).fill(await localTime(page, 3_600_000));
  await pick(page, "Repeat", "every week");
  await add(page);
  await row(page, "Water the plants").getByRole("checkbox").click();
  // A week from now: neither "today" nor "tomorrow", as the first one was.
  await row(page, "Water the plants")
    .getByText(/Due \w{3},? \d/)
    .waitFor();
  await look(page, "4-next-occurrence");
  await page.getByRole("button", { name: "Repeating", exact: true }).click();
  await row(page, "Water the plants").getByText("Repeats every week on").waitFor();
  await look(page, "5-repeating");
  expect(await accessibilityProblems(page)).toEqual([]);
}, 60_000);

test("a month after it was done can be said, and so can a day of the month from then on", async () => {
  const page = await openPage();
  await signIn(page, "gil");
  await page.getByLabel("What needs doing?").fill("Change the filter");
  await due(page).fill(await localTime(page, 3_600_000));
  await pick(page, "Repeat", "every month");
  await page.getByText(/^Repeats on the \d+\w\w of every month/).waitFor();
  await pick(page, "Counted from", "completion");
  await page.getByText(/^Repeats 1 month after completion/).waitFor();
  await pick(page, "On the", "last day");
  await page.getByText(/^Repeats 1 month or more after completion, on the last day of the month/).waitFor();
  await pick(page, "On the", "day I did it");
  await add(page);
  await page.getByRole("button", { name: "Repeating", exact: true }).click();
  await row(page, "Change the filter").getByText("1 month after completion").waitFor();
}, 60_000);

test("while the gateway restarts the page says so, then shows what happened meanwhile", async () => {
  const page = await openPage();
  await signIn(page, "dan");
  await pages.system().kill("ui-gateway");
  await page.getByRole("status").filter({ hasText: "Connecting" }).waitFor();
  await pages.system().restart("ui-gateway");
  await page.getByLabel("What needs doing?").fill("After the storm");
  await add(page);
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  await row(page, "After the storm").waitFor();
  pages.forgive(); // the refused connections, said by the browser itself
}, 60_000);

/** The dates the server is to make, as the page says them: the last Fridays at 17:00 from tomorrow on, in Berlin. */
function lastFridays(count: number): readonly string[] {
  const today = Temporal.Now.plainDateISO("Europe/Berlin");
  const dates: string[] = [];
  for (let month = today.toPlainYearMonth(); dates.length < count; month = month.add({ months: 1 })) {
    const end = month.toPlainDate({ day: month.daysInMonth });
    const friday = end.subtract({ days: (end.dayOfWeek + 2) % 7 });
    if (Temporal.PlainDate.compare(friday, today) <= 0) continue;
    const year = friday.year === today.year ? {} : ({ year: "numeric" } as const);
    dates.push(`Friday ${friday.toLocaleString("en-GB", { day: "numeric", month: "long", ...year })}, 17:00`);
  }
  return dates;
}

test("every last Friday at 17:00 with a reminder an hour before is made, told in words and dates, and one date is skipped", async () => {
  const page = await openPage();
  await signIn(page, "eve");
  const [first = "", second = "", ...later] = lastFridays(6);
  const tomorrow = Temporal.Now.plainDateISO("Europe/Berlin").add({ days: 1 });
  await page.getByLabel("What needs doing?").fill("Pay the rent");
  await due(page).fill(`${tomorrow}T17:00`);
  await pick(page, "Repeat", "every month");
  await pick(page, "On the", "weekday");
  await pick(page, "Which one", "last");
  await pick(page, "Weekday", "Friday");
  await pick(page, "Reminder", "an hour before");
  await page.getByText("Repeats every last Friday of the month at 17:00").waitFor();
  const promised = page.getByRole("list", { name: "First dates" }).getByRole("listitem");
  expect(await promised.allTextContents()).toEqual([first, second, ...later.slice(0, 3)]);
  await look(page, "7-last-friday");
  expect(await accessibilityProblems(page)).toEqual([]);
  await add(page);
  await row(page, "Pay the rent")
    .getByText(/^Reminder .*16:00$/)
    .waitFor();

  // Nothing comes before the first one: what was typed is not sent with those after it, and so not shown.
  await row(page, "Pay the rent").getByRole("button", { name: "Edit" }).click();
  const occurrence = page.getByRole("form", { name: "Edit Pay the rent" });
  const ownDue = occurrence.getByRole("textbox", { name: "Due" });
  const known = await ownDue.inputValue();
  await ownDue.fill("2099-12-24T10:00");
  await occurrence.getByRole("combobox", { name: "Change" }).selectOption("this and later ones");
  await occurrence.getByText("When it is due, its rule says").waitFor();
  expect([await ownDue.isEnabled(), await ownDue.inputValue()]).toEqual([false, known]);
  await look(page, "14-first-with-later");
  await page.setViewportSize({ width: 320, height: 640 });
  await look(page, "14-first-with-later-narrow");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.setViewportSize({ width: 960, height: 720 });
  await occurrence.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("button", { name: "Repeating", exact: true }).click();
  const dates = page.getByRole("list", { name: "Next dates of Pay the rent" });
  await dates.waitFor();
  const shown = () => dates.locator("li > :first-child").allTextContents();
  expect(await shown()).toEqual([first, second, ...later.slice(0, 3)]);
  await dates.getByRole("button", { name: `Skip ${second}` }).click();
  const undo = dates.getByRole("button", { name: `Undo skipping ${second}` });
  await undo.waitFor();
  expect([await shown(), await dates.locator("s").allTextContents()]).toEqual([[first, second, ...later], [second]]);
  expect(await undo.evaluate((button) => button === document.activeElement)).toBe(true);
  await look(page, "8-skipped");
  expect(await accessibilityProblems(page)).toEqual([]);
  // A second click at one place within half a second counts only for the same control.
  await page.waitForTimeout(600);
  await undo.click();
  await dates.getByRole("button", { name: `Skip ${second}` }).waitFor();
  expect(await shown()).toEqual([first, second, ...later.slice(0, 3)]);

  await dates.getByRole("button", { name: `Move ${second}` }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Due" }).fill("2099-12-24T10:00");
  await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
  await dates.getByText("Thursday 24 December 2099, 10:00").waitFor();
  await page.getByRole("button", { name: "Edit Pay the rent" }).click();
  const editor = page.getByRole("form", { name: "Edit Pay the rent" });
  await editor.getByRole("combobox", { name: "Ends" }).selectOption("after some times");
  await editor.getByRole("spinbutton", { name: "Times" }).fill("3");
  await look(page, "12-edit-series");
  expect(await accessibilityProblems(page)).toEqual([]);
  await editor.getByRole("button", { name: "Save" }).click();
  await page.getByText("Repeats every last Friday of the month at 17:00, 3 times").waitFor();
  await dates.locator("li").nth(3).waitFor({ state: "detached" });
}, 60_000);

test("a snoozed reminder leaves every device, and each says until when", async () => {
  const [laptop, phone] = [await openPage(), await openPage()];
  await signIn(laptop, "fay");
  await signIn(phone, "fay");
  await laptop.getByLabel("What needs doing?").fill("Feed the cat");
  await due(laptop).fill(await localTime(laptop, 4000));
  await add(laptop);
  const toasts = [laptop, phone].map((page) => page.getByText("Reminder: Feed the cat"));
  for (const toast of toasts) await toast.waitFor();
  await laptop.getByRole("button", { name: "Snooze reminder: Feed the cat" }).click();
  const snooze = laptop.getByRole("group", { name: "Snooze reminder: Feed the cat" });
  await snooze.getByRole("button", { name: "10 minutes" }).click();
  for (const toast of toasts) await toast.waitFor({ state: "detached" });
  for (const page of [laptop, phone])
    await row(page, "Feed the cat")
      .getByText(/^Snoozed until /)
      .waitFor();
  await look(phone, "9-snoozed");
}, 60_000);

test("a task is changed where it stands, and one changed elsewhere meanwhile is not written over unasked", async () => {
  const [laptop, phone] = [await openPage(), await openPage()];
  await signIn(laptop, "gus");
  await signIn(phone, "gus");
  await laptop.getByLabel("What needs doing?").fill("Call mum");
  await add(laptop);
  const edit = async (page: Page, title: string) => {
    await row(page, "Call mum").getByRole("button", { name: "Edit" }).click();
    const editor = page.getByRole("form", { name: "Edit Call mum" });
    await editor.getByLabel("Title").fill(title);
    return { editor, save: () => editor.getByRole("button", { name: "Save" }).click() };
  };
  const here = await edit(laptop, "Call mum and dad");
  const there = await edit(phone, "Call mummy");
  await there.save();
  await row(phone, "Call mummy").waitFor();
  await here.editor.getByLabel("All day").check();
  await here.editor.getByRole("textbox", { name: "Due" }).fill((await localTime(laptop, 0)).slice(0, 10));
  await here.save();
  await here.editor.getByRole("alert").filter({ hasText: "changed elsewhere" }).waitFor();
  await look(laptop, "10-changed-elsewhere");
  expect(await accessibilityProblems(laptop)).toEqual([]);
  await here.save();
  for (const page of [laptop, phone])
    await row(page, "Call mum and dad").getByText("Due today", { exact: true }).waitFor();
}, 60_000);

test("a change of an occurrence reaches all there are, or it and those after it", async () => {
  const page = await openPage();
  await signIn(page, "gil");
  await page.getByLabel("What needs doing?").fill("Sort the mail");
  await form(page).getByLabel("All day").check();
  await due(page).fill((await localTime(page, 0)).slice(0, 10));
  await pick(page, "Repeat", "every day");
  await add(page);
  const change = async (from: string, title: string, reach: string) => {
    await row(page, from).getByRole("button", { name: "Edit" }).click();
    const editor = page.getByRole("form", { name: `Edit ${from}` });
    await editor.getByLabel("Title").fill(title);
    await editor.getByRole("combobox", { name: "Change" }).selectOption(reach);
    await editor.getByRole("button", { name: "Save" }).click();
    await row(page, title).getByText(/^Due /).waitFor();
  };
  await row(page, "Sort the mail").getByText("Due today", { exact: true }).waitFor();
  // Nothing comes before it: with those after it, it is the whole series, whose times its rule says.
  await row(page, "Sort the mail").getByRole("button", { name: "Edit" }).click();
  const first = page.getByRole("form", { name: "Edit Sort the mail" });
  expect(await first.getByRole("textbox", { name: "Due" }).isEnabled()).toBe(true);
  await first.getByRole("combobox", { name: "Change" }).selectOption("this and later ones");
  await first.getByText("When it is due, its rule says").waitFor();
  expect(await first.getByRole("textbox", { name: "Due" }).isEnabled()).toBe(false);
  await first.getByRole("button", { name: "Cancel" }).click();
  await change("Sort the mail", "Sort the post", "all of them");
  await row(page, "Sort the post").getByRole("checkbox").click();
  await row(page, "Sort the post").getByText("Due tomorrow", { exact: true }).waitFor();
  // Without a due they would recur at no time.
  await row(page, "Sort the post").getByRole("button", { name: "Edit" }).click();
  const second = page.getByRole("form", { name: "Edit Sort the post" });
  await second.getByRole("combobox", { name: "Change" }).selectOption("this and later ones");
  const day = second.getByRole("textbox", { name: "Due" });
  await day.fill("");
  await second.getByRole("button", { name: "Save" }).click();
  expect(await day.evaluate((field: HTMLInputElement) => field.validationMessage)).toBe(
    "Say when it is due: those after it count from there.",
  );
  await second.getByRole("button", { name: "Cancel" }).click();
  await change("Sort the post", "Sort the bills", "this and later ones");
  await page.getByRole("button", { name: "Repeating", exact: true }).click();
  // The old series ended today, the new one goes on.
  await row(page, "Sort the post").getByText("No date is to come").or(page.getByText("It has ended")).waitFor();
  const dates = page.getByRole("list", { name: "Next dates of Sort the bills" }).getByRole("listitem");
  await dates.nth(4).waitFor();
  await look(page, "13-split");
}, 60_000);

test("an occurrence is deleted alone, or with all there are", async () => {
  const page = await openPage();
  await signIn(page, "hal");
  for (const title of ["Water the fern", "Sweep the yard"]) {
    await page.getByLabel("What needs doing?").fill(title);
    await due(page).fill(await localTime(page, 86_400_000));
    await pick(page, "Repeat", "every week");
    await add(page);
    await row(page, title).getByText("Due tomorrow").waitFor();
  }
  const remove = async (title: string, answer: string) => {
    await row(page, title).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: answer }).click();
    await row(page, title).waitFor({ state: "detached" });
  };
  await remove("Water the fern", "Only this one");
  await remove("Sweep the yard", "All of them");
  await page.getByRole("button", { name: "Repeating", exact: true }).click();
  await page.getByRole("list", { name: "Next dates of Water the fern" }).locator("s").waitFor();
  expect(await row(page, "Sweep the yard").count()).toBe(0);
}, 60_000);

test("preferences are kept, and a zone is offered to a person who never chose one", async () => {
  const page = await openPage();
  await signIn(page, "ivy");
  await page.getByRole("button", { name: "Use Europe/Berlin" }).click();
  const dialog = page.getByRole("dialog", { name: "Preferences" });
  const open = async () => {
    await page.getByRole("button", { name: "Preferences" }).click();
    await dialog.waitFor();
  };
  await page.getByText("your preferences say UTC").waitFor({ state: "detached" });
  await open();
  expect(await dialog.getByLabel("Time zone").inputValue()).toBe("Europe/Berlin");
  await dialog.getByLabel("An hour before").check();
  await dialog.getByLabel("Quiet hours").check();
  await dialog.getByLabel("From").fill("21:30");
  await dialog.getByLabel("Sun").uncheck();
  await dialog.getByLabel("E-mail to").fill("ivy@example.org");
  await look(page, "11-preferences");
  expect(await accessibilityProblems(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await form(page).getByText("my usual: at the due time and an hour before").waitFor({ state: "attached" });

  await page.reload();
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  await form(page).getByText("my usual: at the due time and an hour before").waitFor({ state: "attached" });
  expect(await page.getByText("your preferences say UTC").count()).toBe(0);
  await open();
  expect([
    await dialog.getByLabel("An hour before").isChecked(),
    await dialog.getByLabel("From").inputValue(),
    await dialog.getByLabel("Sun").isChecked(),
    await dialog.getByLabel("E-mail to").inputValue(),
  ]).toEqual([true, "21:30", false, "ivy@example.org"]);
}, 60_000);

test("while a person is muted no reminder pops up, and it can be dismissed from its task", async () => {
  const page = await openPage();
  await signIn(page, "jan");
  await page.getByRole("button", { name: "Preferences" }).click();
  const dialog = page.getByRole("dialog", { name: "Preferences" });
  await dialog.getByLabel("Muted until").fill("2099-01-01T00:00");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByLabel("What needs doing?").fill("Hush");
  await due(page).fill(await localTime(page, 3000));
  await add(page);
  const told = row(page, "Hush").getByRole("button", { name: "Reminded of Hush: dismiss or snooze" });
  await told.waitFor();
  expect(await page.getByText("Reminder: Hush").count()).toBe(0);
  await told.click();
  await page.getByRole("button", { name: "Dismiss reminder: Hush" }).click();
  await told.waitFor({ state: "detached" });
}, 60_000);

test("a date is done ahead of its turn, and the series goes on from where it was", async () => {
  const page = await openPage();
  await signIn(page, "kim");
  await page.getByLabel("What needs doing?").fill("Water the cactus");
  await due(page).fill(await localTime(page, 3_600_000));
  await pick(page, "Repeat", "every day");
  await add(page);
  await page.getByRole("button", { name: "Repeating", exact: true }).click();
  const dates = page.getByRole("list", { name: "Next dates of Water the cactus" }).getByRole("listitem");
  await dates.nth(4).waitFor();
  const third = await dates.nth(2).locator("span").first().textContent();
  await dates
    .nth(2)
    .getByRole("button", { name: `Done already: ${third}` })
    .click();
  await dates.nth(2).getByText("done", { exact: true }).waitFor();
  expect(await dates.nth(2).getByRole("button").count()).toBe(0);
  expect(await dates.nth(1).getByRole("button").allTextContents()).toEqual(["Done", "Move", "Skip"]);
  await look(page, "16-done-ahead");
  await page.setViewportSize({ width: 320, height: 640 });
  await look(page, "16-done-ahead-narrow");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Completed", exact: true }).click();
  await row(page, "Water the cactus").waitFor();
}, 60_000);

test("what was told, and what waits, is listed with the way and the reason, and counted until it was seen", async () => {
  const page = await openPage();
  await signIn(page, "lea");
  const remind = async (title: string) => {
    await page.getByLabel("What needs doing?").fill(title);
    await due(page).fill(await localTime(page, 3000));
    await add(page);
  };
  const list = page.getByRole("button", { name: /^Notifications/ });
  const dialog = page.getByRole("dialog", { name: "Notifications" });
  await list.click();
  await dialog.getByText("Nothing has been told yet.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();

  await remind("Take the cake out");
  await page.getByText("Reminder: Take the cake out").waitFor();
  await page.getByRole("button", { name: "Notifications (1)" }).click();
  const item = dialog.getByRole("listitem").filter({ hasText: "Take the cake out" });
  await item.getByText("in the app").waitFor();
  await item.getByText(/^told today \d\d:\d\d/).waitFor();
  await item.getByText("new", { exact: true }).waitFor();
  await look(page, "17-notifications");
  expect(await accessibilityProblems(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Notifications", exact: true }).waitFor();

  // One that fires while the list is open comes into it, and the focus stays where it is.
  await remind("Turn the oven off");
  await list.click();
  const again = dialog.getByRole("button", { name: "Send again in the app: Take the cake out" });
  await again.focus();
  await dialog.getByRole("listitem").filter({ hasText: "Turn the oven off" }).waitFor();
  expect(await again.evaluate((button) => button === document.activeElement)).toBe(true);
  await again.press("Enter");
  await item.getByText("new", { exact: true }).waitFor();
  expect(await dialog.evaluate((open) => open.contains(document.activeElement))).toBe(true);
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Dismiss reminder: Turn the oven off" }).click();

  await page.getByRole("button", { name: "Preferences" }).click();
  const preferences = page.getByRole("dialog", { name: "Preferences" });
  await preferences.getByLabel("Muted until").fill("2099-01-01T00:00");
  await preferences.getByRole("button", { name: "Save" }).click();
  await preferences.waitFor({ state: "detached" });
  await remind("Hush");
  await row(page, "Hush").getByRole("button", { name: "Reminded of Hush: dismiss or snooze" }).waitFor();
  await list.click();
  await dialog.getByText(/^waits until .* 2099 \d\d:\d\d: you are muted$/).waitFor();
  await page.setViewportSize({ width: 320, height: 640 });
  await look(page, "17-notifications-narrow");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
}, 60_000);
