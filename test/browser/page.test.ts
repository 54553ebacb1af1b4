import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { accessibilityProblems, openBrowser } from "../support/browser.ts";
import { startSystem, type System } from "../support/system.ts";

let system: System;
let browser: Browser;
let contexts: BrowserContext[] = [];
let consoleErrors: string[] = [];

beforeAll(async () => {
  [system, browser] = await Promise.all([startSystem(), openBrowser()]);
}, 90_000);
afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()));
  contexts = [];
  expect(consoleErrors).toEqual([]);
  consoleErrors = [];
});
afterAll(async () => {
  await browser?.close();
  await system?.[Symbol.asyncDispose]();
}, 30_000);

/** A device of its own: cookies and all. */
async function openPage(): Promise<Page> {
  const context = await browser.newContext({
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
    viewport: { width: 960, height: 720 },
  });
  contexts.push(context);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => {
    // The first look at the session of a stranger is a 401, and the browser says so by itself.
    if (message.type() === "error" && !message.text().includes("401")) consoleErrors.push(message.text());
  });
  page.on("pageerror", (error) => consoleErrors.push(String(error)));
  await page.goto(system.url("ui-gateway"));
  return page;
}

async function signIn(page: Page, user: string): Promise<void> {
  await page.getByLabel("Your name").fill(user);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
}

const row = (page: Page, title: string) => page.getByRole("listitem").filter({ hasText: title });

async function look(page: Page, name: string): Promise<void> {
  const directory = process.env["SCREENSHOTS"];
  if (!directory) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}

/** The value a datetime-local field takes, in the zone of the page. */
function localTime(page: Page, inMs: number): Promise<string> {
  return page.evaluate((ms) => {
    const date = new Date(Date.now() + ms);
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  }, inMs);
}

test("a task is added, completed, reopened and deleted, and another device of the same person follows", async () => {
  const [laptop, phone] = [await openPage(), await openPage()];
  await look(laptop, "1-welcome");
  expect(await accessibilityProblems(laptop)).toEqual([]);
  await signIn(laptop, "ada");
  await signIn(phone, "ada");

  await laptop.getByLabel("What needs doing?").fill("Buy <b>bread</b>");
  await laptop.getByRole("button", { name: "Add task" }).click();
  await row(laptop, "Buy <b>bread</b>").waitFor();
  await row(phone, "Buy <b>bread</b>").waitFor();
  await look(laptop, "2-board");
  expect(await accessibilityProblems(laptop)).toEqual([]);

  await row(laptop, "bread").getByRole("checkbox").check();
  await phone.getByText("Nothing to do").waitFor();
  await phone.getByRole("button", { name: "Completed", exact: true }).click();
  await row(phone, "bread").getByRole("checkbox").uncheck();
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
  await laptop.getByLabel("Due").fill(await localTime(laptop, 4000));
  await laptop.getByRole("button", { name: "Add task" }).click();
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
  await laptop.getByLabel("Due").fill(await localTime(laptop, 3000));
  await laptop.getByRole("button", { name: "Add task" }).click();
  const toasts = [laptop, phone].map((page) => page.getByText("Reminder: Call the plumber"));
  for (const toast of toasts) await toast.waitFor();
  await row(phone, "Call the plumber").getByRole("checkbox").check();
  for (const toast of toasts) await toast.waitFor({ state: "detached" });
}, 60_000);

test("a repeating task is asked for its first time, and without one nothing is sent", async () => {
  const page = await openPage();
  const sent: string[] = [];
  page.on("request", (request) => void (request.method() === "POST" && sent.push(request.url())));
  await signIn(page, "cem");
  sent.length = 0;
  const due = page.getByLabel("Due");
  const complaint = () => due.evaluate((field: HTMLInputElement) => field.validationMessage);
  await page.getByLabel("What needs doing?").fill("Stretch");
  expect(await complaint()).toBe("");
  await page.getByLabel("Repeat").selectOption("every day");
  await page.getByText("Due for the first time").waitFor();
  await page.getByRole("button", { name: "Add task" }).click();
  expect([await complaint(), await due.evaluate((field) => field === document.activeElement), sent]).toEqual([
    "Say when it is due for the first time: a repeating task counts from there.",
    true,
    [],
  ]);
  await look(page, "6-first-due");
  expect(await accessibilityProblems(page)).toEqual([]);
  await due.fill(await localTime(page, 3_600_000));
  await page.getByRole("button", { name: "Add task" }).click();
  await row(page, "Stretch").getByText("Due today").or(row(page, "Stretch").getByText("Due tomorrow")).waitFor();
  // The form is empty again and asks for nothing.
  await page.getByText("for the first time").waitFor({ state: "hidden" });
  expect([await complaint(), await due.inputValue()]).toEqual(["", ""]);
}, 60_000);

test("a repeating task shows its first occurrence among the open ones and itself under Repeating", async () => {
  const page = await openPage();
  await signIn(page, "cleo");
  await page.getByLabel("What needs doing?").fill("Water the plants");
  await page.getByLabel("Due").fill(await localTime(page, 3_600_000));
  await page.getByLabel("Repeat").selectOption("every week");
  await page.getByRole("button", { name: "Add task" }).click();
  await row(page, "Water the plants").getByRole("checkbox").check();
  // A week from now: neither "today" nor "tomorrow", as the first one was.
  await row(page, "Water the plants")
    .getByText(/Due \w{3},? \d/)
    .waitFor();
  await look(page, "4-next-occurrence");
  await page.getByRole("button", { name: "Repeating", exact: true }).click();
  await row(page, "Water the plants").getByText("Repeats every week").waitFor();
  await look(page, "5-repeating");
  expect(await accessibilityProblems(page)).toEqual([]);
}, 60_000);

test("while the gateway restarts the page says so, then shows what happened meanwhile", async () => {
  const page = await openPage();
  await signIn(page, "dan");
  await system.kill("ui-gateway");
  await page.getByRole("status").filter({ hasText: "Connecting" }).waitFor();
  await system.restart("ui-gateway");
  await page.getByLabel("What needs doing?").fill("After the storm");
  await page.getByRole("button", { name: "Add task" }).click();
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  await row(page, "After the storm").waitFor();
  consoleErrors = []; // the refused connections, said by the browser itself
}, 60_000);
