import { expect, test } from "bun:test";
import type { Page, Route } from "playwright-core";
import { accessibilityProblems } from "../support/browser.ts";
import {
  add,
  addForm,
  apiOf,
  localTime,
  dueField,
  isLive,
  look,
  row,
  signIn,
  titleField,
  titles,
  usePages,
} from "../support/pages.ts";
import { until } from "../support/until.ts";

const pages = usePages();

const delayed = (ms: number) => async (route: Route) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  await route.continue();
};

/** Holds the requests of a path until the returned function is called. */
async function hold(page: Page, path: string): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await page.route(path, async (route) => {
    await promise;
    await route.continue();
  });
  return resolve;
}

/** The requests that make a task, held until they are let go. */
async function holdPosts(page: Page) {
  const held: Route[] = [];
  await page.route("**/v1/tasks", (route) =>
    route.request().method() === "POST" ? void held.push(route) : route.continue(),
  );
  return {
    next: () => until("a task is sent", () => held.shift()),
    count: () => held.length,
  };
}

test("what is typed while tasks are being saved is kept to the letter, and they are made in the order they were written", async () => {
  const page = await pages.open();
  await signIn(page, "typing-ada");
  await page.route("**/v1/tasks", delayed(300));
  const written = ["Buy milk", "Call mum", "Pay rent", "Water plants"];
  await titleField(page).focus();
  for (const title of written) await page.keyboard.type(`${title}\n`, { delay: 15 });
  await page.keyboard.type("Half a thought");
  expect(await titleField(page).inputValue()).toBe("Half a thought");
  for (const title of written) await row(page, title).waitFor();
  expect(await titleField(page).inputValue()).toBe("Half a thought");
  // Undated tasks stand newest first.
  expect(await titles(page)).toEqual(written.toReversed());
}, 60_000);

test("a task that could not be added comes back into the form as it was typed, and is made once when it is sent again", async () => {
  const page = await pages.open();
  await signIn(page, "typing-ben");
  const keys: (string | undefined)[] = [];
  await page.route("**/v1/tasks", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    keys.push(route.request().headers()["idempotency-key"]);
    // The task is made, and its answer is lost on the way back.
    if (keys.length === 1) await route.fetch();
    return keys.length === 1 ? route.fulfill({ status: 500, body: "{}" }) : route.continue();
  });
  const local = (await localTime(page, 86_400_000)).slice(0, 16);
  await dueField(page).fill(local);
  await addForm(page).getByRole("combobox", { name: "Priority" }).selectOption("high");
  await add(page, "Renew the passport");
  await page.getByRole("alert").filter({ hasText: "500" }).waitFor();
  expect([await titleField(page).inputValue(), await dueField(page).inputValue()]).toEqual([
    "Renew the passport",
    local,
  ]);
  await look(page, "20-add-failed");
  expect(await accessibilityProblems(page)).toEqual([]);
  await add(page);
  await until("it was sent again", () => keys.length === 2);
  await row(page, "Renew the passport").waitFor();
  await page.getByRole("alert").waitFor({ state: "detached" });
  expect([
    keys[0] === keys[1],
    await row(page, "Renew the passport").count(),
    await titleField(page).inputValue(),
  ]).toEqual([true, 1, ""]);
  pages.forgive();
}, 60_000);

test("a failed task does not write over what is being typed meanwhile: it is offered beside it", async () => {
  const page = await pages.open();
  await signIn(page, "typing-cem");
  const posts = await holdPosts(page);
  await add(page, "First thought");
  const first = await posts.next();
  await titleField(page).pressSequentially("Second");
  await first.fulfill({ status: 500, body: "{}" });
  const offer = page.getByRole("alert").filter({ hasText: "“First thought” was not added" });
  await offer.waitFor();
  expect(await titleField(page).inputValue()).toBe("Second");
  await page.setViewportSize({ width: 320, height: 640 });
  await look(page, "21-offered-again-narrow", { fullPage: false });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  expect(await accessibilityProblems(page)).toEqual([]);
  await offer.getByRole("button", { name: "Try again" }).click();
  await (await posts.next()).continue();
  await row(page, "First thought").waitFor();
  expect(await titleField(page).inputValue()).toBe("Second");
  pages.forgive();
}, 60_000);

test("a task sent just before the page is closed is made", async () => {
  const page = await pages.open();
  await signIn(page, "typing-dan");
  const api = await apiOf(pages.system().url("ui-gateway"), "typing-dan");
  await titleField(page).focus();
  await page.keyboard.type("First\nSecond\nThird\n");
  await page.close();
  await until("all three are there", async () => {
    const { items } = await api<{ items: readonly { title: string }[] }>("GET", "/v1/tasks");
    return items.length === 3;
  });
}, 60_000);

test("what is typed in an editor while it is saved stays, and is saved with the next click", async () => {
  const page = await pages.open();
  await signIn(page, "typing-eve");
  await add(page, "Call mum");
  await row(page, "Call mum").getByRole("button", { name: "Edit" }).click();
  const editor = page.getByRole("form", { name: "Edit Call mum" });
  const title = editor.getByLabel("Title");
  const letGo = await hold(page, "**/v1/tasks/*");
  await title.fill("Call mum today");
  await title.press("Enter");
  await title.press("End");
  await page.keyboard.type(" at six");
  letGo();
  await editor.getByRole("alert").filter({ hasText: "not saved yet" }).waitFor();
  expect(await title.inputValue()).toBe("Call mum today at six");
  await look(page, "22-saved-not-all");
  await title.press("Enter");
  await row(page, "Call mum today at six").getByRole("button", { name: "Edit" }).waitFor();
}, 60_000);

test("what is typed in an editor survives changes elsewhere, another editor and another tab; left by Escape it can be brought back", async () => {
  const page = await pages.open();
  await signIn(page, "typing-fay");
  const api = await apiOf(pages.system().url("ui-gateway"), "typing-fay");
  for (const title of ["Alpha", "Beta"]) await add(page, title);
  await row(page, "Alpha").getByRole("button", { name: "Edit" }).click();
  const alpha = page.getByRole("form", { name: "Edit Alpha" }).getByLabel("Title");
  await alpha.fill("Alpha, much longer");
  await alpha.evaluate((field: HTMLInputElement) => field.setSelectionRange(3, 8));
  await api("POST", "/v1/tasks", { title: "Made elsewhere", due_date: "2099-01-01T00:00:00Z" });
  await row(page, "Made elsewhere").waitFor();
  expect(
    await alpha.evaluate((field: HTMLInputElement) => [
      field === document.activeElement,
      field.selectionStart,
      field.selectionEnd,
    ]),
  ).toEqual([true, 3, 8]);
  await row(page, "Beta").getByRole("button", { name: "Edit" }).click();
  await page.getByRole("button", { name: "Completed", exact: true }).click();
  await page.getByText("Nothing completed yet.").waitFor();
  await page.getByRole("button", { name: "Open", exact: true }).click();
  expect(await alpha.inputValue()).toBe("Alpha, much longer");
  await alpha.press("Escape");
  await alpha.waitFor({ state: "detached" });
  await page
    .getByRole("status")
    .filter({ hasText: "were not saved" })
    .getByRole("button", { name: "Bring back" })
    .click();
  expect(await alpha.inputValue()).toBe("Alpha, much longer");
}, 60_000);

test("preferences typed while they are saved, or left by Escape, are not lost", async () => {
  const page = await pages.open();
  await signIn(page, "typing-gus");
  await page.getByRole("button", { name: "Preferences" }).click();
  const dialog = page.getByRole("dialog", { name: "Preferences" });
  await dialog.getByLabel("E-mail to").fill("gus@example.org");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("status").filter({ hasText: "not saved" }).getByRole("button", { name: "Bring back" }).click();
  expect(await dialog.getByLabel("E-mail to").inputValue()).toBe("gus@example.org");
  const letGo = await hold(page, "**/v1/preferences");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByLabel("E-mail to").fill("gustav@example.org");
  letGo();
  await dialog.getByRole("alert").filter({ hasText: "not saved yet" }).waitFor();
  expect(await dialog.getByLabel("E-mail to").inputValue()).toBe("gustav@example.org");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const api = await apiOf(pages.system().url("ui-gateway"), "typing-gus");
  const { channels } = await api<{ channels: readonly { to?: string }[] }>("GET", "/v1/preferences");
  expect(channels.map(({ to }) => to)).toContain("gustav@example.org");
}, 60_000);

test("a title that is too long is complained about, not cut short in silence", async () => {
  const page = await pages.open();
  await signIn(page, "typing-hal");
  await titleField(page).fill("x".repeat(700));
  await add(page);
  expect(
    await titleField(page).evaluate((field: HTMLInputElement) => [field.value.length, field.validationMessage]),
  ).toEqual([700, "A title has 500 letters at most; this one has 700."]);
}, 60_000);

test("a reminder of its own needs a due date, and the one that was chosen is among several", async () => {
  const page = await pages.open();
  await signIn(page, "typing-ivy");
  const reminder = addForm(page).getByRole("combobox", { name: "Reminder" });
  await reminder.selectOption("an hour before");
  await add(page, "Never told");
  expect(await reminder.evaluate((field: HTMLSelectElement) => field.validationMessage)).toStartWith(
    "Say when it is due",
  );
  await reminder.selectOption("several…");
  expect(await addForm(page).getByRole("checkbox", { name: "An hour before" }).isChecked()).toBe(true);
  await dueField(page).fill(await localTime(page, 86_400_000));
  await add(page);
  await row(page, "Never told")
    .getByText(/^Reminder /)
    .waitFor();
}, 60_000);

test("half a thought survives a reload", async () => {
  const page = await pages.open();
  await signIn(page, "typing-jan");
  const local = (await localTime(page, 86_400_000)).slice(0, 16);
  await titleField(page).fill("Half a thought");
  await dueField(page).fill(local);
  await page.reload();
  await isLive(page);
  expect([await titleField(page).inputValue(), await dueField(page).inputValue()]).toEqual(["Half a thought", local]);
  await add(page);
  await row(page, "Half a thought").waitFor();
  await page.reload();
  await isLive(page);
  expect(await titleField(page).inputValue()).toBe("");
}, 60_000);
