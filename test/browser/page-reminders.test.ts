import { expect, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { accessibilityProblems } from "../support/browser.ts";
import { apiOf, look, row, signIn, titleField, usePages } from "../support/pages.ts";
import { until } from "../support/until.ts";

const pages = usePages();

const cards = (page: Page) => page.locator("#toasts > .toast");
const region = (page: Page) => page.getByRole("region", { name: "Reminders", exact: true });
const visibleCards = async (page: Page) =>
  (await Promise.all((await cards(page).all()).map((card) => card.isVisible()))).filter(Boolean).length;
const isFocused = (control: Locator) => control.evaluate((element) => element === document.activeElement);

/** Tasks that are due in some seconds, and a page that waits until their reminders have popped up. */
async function remind(page: Page, user: string, titles: readonly string[]): Promise<void> {
  const api = await apiOf(pages.system().url("ui-gateway"), user);
  const due_date = new Date(Date.now() + 3_000).toISOString();
  await Promise.all(titles.map((title) => api("POST", "/v1/tasks", { title, due_date })));
  for (const title of titles)
    await cards(page).filter({ hasText: title }).first().waitFor({ state: "attached", timeout: 20_000 });
}

/** Whether a control, scrolled to, is what a click in its middle hits. */
async function canBeHit(control: Locator): Promise<boolean> {
  await control.scrollIntoViewIfNeeded();
  return control.evaluate((element) => {
    element.scrollIntoView({ block: "nearest" });
    const { x, y, width, height } = element.getBoundingClientRect();
    return document.elementFromPoint(x + width / 2, y + height / 2) === element;
  });
}

const five = ["Cake", "Plumber", "Cat", "Bins", "Rent"] as const;

for (const colorScheme of ["light", "dark"] as const)
  test(`on a phone (${colorScheme}) five reminders are one line that covers nothing for good, unfold, and are dismissed together`, async () => {
    const page = await pages.open({ viewport: { width: 375, height: 667 }, colorScheme });
    const user = `remind-ada-${colorScheme}`;
    await signIn(page, user);
    await remind(page, user, five);
    expect([await page.title(), await visibleCards(page)]).toEqual(["(5) Taskwire", 1]);
    await look(page, `60-phone-folded-${colorScheme}`, { fullPage: false });
    expect((await region(page).boundingBox())?.height).toBeLessThan(70);
    for (const control of [
      page.getByRole("button", { name: "Add task" }),
      page.locator("#tasks > li:last-child").getByRole("button", { name: /^Delete/ }),
    ])
      expect(await canBeHit(control)).toBe(true);
    expect(await accessibilityProblems(page)).toEqual([]);
    await region(page).getByRole("button", { name: "All 5" }).click();
    expect(await visibleCards(page)).toBe(5);
    await look(page, `61-phone-unfolded-${colorScheme}`, { fullPage: false });
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await page.getByRole("button", { name: /^Notifications \(/ }).waitFor();
    await region(page).getByRole("button", { name: "Dismiss all" }).click();
    await region(page).waitFor({ state: "hidden" });
    expect(await page.title()).toBe("Taskwire");
    const notice = page.getByRole("status").filter({ hasText: "5 reminders were dismissed." });
    await notice.getByRole("button", { name: "Close this message" }).click();
    // What is over need not be read.
    await page.getByRole("button", { name: "Notifications", exact: true }).waitFor();
  }, 60_000);

test("more than two reminders are folded; Done completes the task, and the focus goes from card to card and back to where it was", async () => {
  const page = await pages.open({ viewport: { width: 1280, height: 800 } });
  await signIn(page, "remind-ben");
  await titleField(page).focus();
  await remind(page, "remind-ben", ["Cake", "Plumber", "Cat"]);
  expect(await isFocused(titleField(page))).toBe(true);
  await look(page, "62-cards", { fullPage: false });
  expect([await visibleCards(page), await accessibilityProblems(page)]).toEqual([2, []]);
  const order = await cards(page).locator(".told p:first-child").allTextContents();
  const [first = "", second = "", third = ""] = order.map((text) => text.replace("Reminder: ", ""));
  await region(page)
    .getByRole("button", { name: `Done: ${first}` })
    .focus();
  await page.keyboard.press("Enter");
  await row(page, first).waitFor({ state: "detached" });
  const done = (title: string) => region(page).getByRole("button", { name: `Done: ${title}` });
  await until("the next card has the focus", () => isFocused(done(second)));
  await page.keyboard.press("Enter");
  await until("the last card has the focus", () => isFocused(done(third)));
  await page.keyboard.press("Enter");
  await region(page).waitFor({ state: "hidden" });
  expect(await isFocused(titleField(page))).toBe(true);
  await page.getByText("Nothing to do").waitFor();
  // A mis-click is taken back.
  await page
    .getByRole("status")
    .filter({ hasText: `“${third}” is done.` })
    .getByRole("button", { name: "Undo" })
    .click();
  await row(page, third).waitFor();
}, 60_000);

test("a dismissed reminder comes back with Undo, and nothing was sent", async () => {
  const page = await pages.open();
  await signIn(page, "remind-cem");
  await remind(page, "remind-cem", ["Cake"]);
  const sent: string[] = [];
  page.on("request", (request) => void (request.method() === "POST" && sent.push(request.url())));
  await page.getByRole("button", { name: "Dismiss reminder: Cake" }).click();
  await cards(page).waitFor({ state: "detached" });
  await page.getByRole("status").filter({ hasText: "dismissed" }).getByRole("button", { name: "Undo" }).click();
  await cards(page).waitFor();
  expect(sent.filter((url) => url.includes("dismiss"))).toEqual([]);
}, 60_000);

test("a reminder is told outside the tab where that was allowed, and the browser is asked by a click alone", async () => {
  const page = await pages.open();
  await page.addInitScript(() => {
    const told: string[] = [];
    class Fake extends EventTarget {
      static permission = "default";
      static asked = 0;
      static requestPermission = () => {
        Fake.asked += 1;
        Fake.permission = "granted";
        return Promise.resolve(Fake.permission);
      };
      constructor(title: string, { tag = "" }: { tag?: string } = {}) {
        super();
        told.push(`${title} ${tag === "" ? "untagged" : "tagged"}`);
      }
      close() {}
    }
    Object.assign(window, { Notification: Fake, told, asked: () => Fake.asked });
  });
  await page.reload();
  await signIn(page, "remind-dan");
  const seen = () => page.evaluate("[window.asked(), window.told]");
  await page.evaluate(() => (document.hasFocus = () => false));
  await remind(page, "remind-dan", ["Not yet"]);
  expect(await seen()).toEqual([0, []]);
  await region(page).getByRole("button", { name: "Tell me outside this tab too" }).click();
  await region(page).getByRole("button", { name: "Tell me outside this tab too" }).waitFor({ state: "hidden" });
  await remind(page, "remind-dan", ["Cake", "Cat"]);
  const [asked, told] = (await seen()) as [number, string[]];
  expect([asked, told.toSorted()]).toEqual([1, ["Reminder: Cake tagged", "Reminder: Cat tagged"]]);
  // Somebody who looks at the page is not told twice.
  await page.evaluate(() => (document.hasFocus = () => true));
  await remind(page, "remind-dan", ["Rent", "Bins"]);
  expect(((await seen()) as [number, string[]])[1].length).toBe(2);
}, 90_000);
