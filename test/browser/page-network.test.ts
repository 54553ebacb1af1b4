import { expect, test } from "bun:test";
import type { Page, Request } from "playwright-core";
import { openFreezingProxy } from "../support/freezing-proxy.ts";
import { add, apiOf, isLive, look, row, signIn, titleField, usePages } from "../support/pages.ts";
import { until } from "../support/until.ts";

const pages = usePages();

const state = (page: Page) => page.locator("#state");
const isConnecting = (page: Page, timeout?: number) =>
  page
    .getByRole("status")
    .filter({ hasText: "Connecting" })
    .waitFor(timeout === undefined ? {} : { timeout });

/**
 * Lets time pass until the stream is open: over HTTP/1.1 a browser tries the connections it kept first, and all of them
 * are dead.
 */
const becomesLive = (page: Page) =>
  until(
    "the stream is open",
    async () => {
      await page.clock.fastForward(10_000);
      await page.waitForTimeout(300);
      return (await state(page).textContent()) === "Live";
    },
    { timeoutMs: 20_000 },
  );

/**
 * Gives what waits until nothing but the stream is asked for: a request that a silence catches is given up, and then
 * the page doubts its stream as well.
 */
function watchRequests(page: Page): () => Promise<unknown> {
  const asked = new Set<Request>();
  page.on("request", (request) => void (request.url().includes("/v1/stream") || asked.add(request)));
  page.on("requestfinished", (request) => void asked.delete(request));
  page.on("requestfailed", (request) => void asked.delete(request));
  return () => until("every request is answered", () => asked.size === 0);
}

test("a connection that says nothing any more is noticed, opened again, and what happened meanwhile is shown", async () => {
  await using proxy = await openFreezingProxy(pages.system().url("ui-gateway"));
  const page = await pages.open({}, proxy.url);
  await page.clock.install();
  const areAnswered = watchRequests(page);
  await signIn(page, "network-ada");
  const api = await apiOf(pages.system().url("ui-gateway"), "network-ada");
  await areAnswered();
  proxy.freeze();
  await api("POST", "/v1/tasks", { title: "During the silence" });
  await page.clock.fastForward(70_000);
  expect(await state(page).textContent()).toBe("Live");
  await page.clock.fastForward(20_000);
  await isConnecting(page);
  expect(await row(page, "During the silence").count()).toBe(0);
  proxy.thaw();
  await becomesLive(page);
  await row(page, "During the silence").waitFor();
  pages.forgive();
}, 60_000);

test("somebody who comes back to the page is not shown a dead connection as a live one", async () => {
  await using proxy = await openFreezingProxy(pages.system().url("ui-gateway"));
  const page = await pages.open({}, proxy.url);
  await page.clock.install();
  const areAnswered = watchRequests(page);
  await signIn(page, "network-ben");
  const api = await apiOf(pages.system().url("ui-gateway"), "network-ben");
  await areAnswered();
  proxy.freeze();
  await api("POST", "/v1/tasks", { title: "While nobody looked" });
  await page.clock.fastForward(30_000);
  proxy.thaw();
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  // All that follows takes less than a silent stream needs to be noticed by itself: 30 s of 80 are over, and time that
  // passes here passes there too. A browser may open a new connection at once, or first try those that it kept.
  const isShown = async () => (await row(page, "While nobody looked").count()) > 0;
  for (let round = 0; round < 4 && !(await isShown()); round++) {
    await page.clock.fastForward(7_500);
    await until(
      "it is live no more, or live again",
      async () => (await isShown()) || (await state(page).textContent()) !== "Live",
    );
    for (let look = 0; look < 8 && !(await isShown()); look++) await page.waitForTimeout(250);
  }
  await row(page, "While nobody looked").waitFor({ timeout: 5_000 });
  pages.forgive();
}, 60_000);

test("a request that gets no answer is given up: the text comes back, and when all is well again nothing complains", async () => {
  await using proxy = await openFreezingProxy(pages.system().url("ui-gateway"));
  const page = await pages.open({}, proxy.url);
  await signIn(page, "network-cem");
  proxy.freeze();
  await add(page, "Into the void");
  await page.getByRole("status").filter({ hasText: "Adding a task…" }).waitFor();
  const alert = page.getByRole("alert").filter({ hasText: "cannot be reached" });
  await alert.waitFor({ timeout: 45_000 });
  expect(await titleField(page).inputValue()).toBe("Into the void");
  // What cannot be reached is not live.
  await isConnecting(page);
  await look(page, "50-void");
  proxy.thaw();
  await add(page);
  await row(page, "Into the void").waitFor({ timeout: 30_000 });
  expect(await row(page, "Into the void").count()).toBe(1);
  await alert.waitFor({ state: "detached" });
  pages.forgive();
}, 120_000);

test("a browser that goes offline says so at once and is live at once when it is back, without an old complaint", async () => {
  const page = await pages.open();
  await signIn(page, "network-dan");
  await page.context().setOffline(true);
  await isConnecting(page);
  await add(page, "Written in a tunnel");
  const alert = page.getByRole("alert").filter({ hasText: "cannot be reached" });
  await alert.waitFor({ timeout: 30_000 });
  expect(await titleField(page).inputValue()).toBe("Written in a tunnel");
  await page.context().setOffline(false);
  await isLive(page);
  await alert.waitFor({ state: "detached" });
  await add(page);
  await row(page, "Written in a tunnel").waitFor();
  pages.forgive();
}, 90_000);

test("a page that was opened while the gateway is down shows the tasks by itself when it is back", async () => {
  const page = await pages.open();
  await signIn(page, "network-eve");
  await add(page, "Still here");
  await row(page, "Still here").waitFor();
  await page.route("**/v1/**", (route) => route.abort());
  await page.reload();
  const alert = page.getByRole("alert").filter({ hasText: "cannot be reached" });
  await alert.waitFor({ timeout: 30_000 });
  await look(page, "51-unreached");
  await page.unroute("**/v1/**");
  await row(page, "Still here").waitFor({ timeout: 30_000 });
  await alert.waitFor({ state: "detached" });
  pages.forgive();
}, 90_000);
