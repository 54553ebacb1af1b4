import { afterAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { ownStack, skipOwnParts, type OwnStack } from "../support/own-stack.ts";
import { apiOf, isLive, look, row, signIn, usePages } from "../support/pages.ts";

const skip = skipOwnParts();
let own: OwnStack | null = null;
const pages = usePages(async () => {
  if (skip) return { roles: {} };
  own = await ownStack(["kafka"]);
  return { stack: own.urls };
});
afterAll(async () => {
  await own?.[Symbol.asyncDispose]();
}, 30_000);

const state = (page: Page) => page.locator("#state");
const isConnecting = (page: Page) =>
  page.getByRole("status").filter({ hasText: "Connecting" }).waitFor({ timeout: 60_000 });

test.skipIf(skip)(
  "while the server hears of no changes the page is not live, though its stream is open, and then shows what happened",
  async () => {
    const page = await pages.open();
    await signIn(page, "live-ada");
    const api = await apiOf(pages.system().url("ui-gateway"), "live-ada");
    await api("POST", "/v1/tasks", { title: "Before the silence" });
    await row(page, "Before the silence").waitFor();
    await look(page, "60-live");
    const streams: string[] = [];
    page.on("request", (request) => void (request.url().includes("/v1/stream") && streams.push(request.url())));

    own?.freeze("kafka");
    await api("POST", "/v1/tasks", { title: "During the silence" });
    await isConnecting(page);
    await look(page, "61-stale");
    expect(streams).toEqual([]);
    // Who opens the page now sees all of it.
    const beside = await pages.openBeside(page);
    await row(beside, "During the silence").waitFor();
    expect(await row(page, "During the silence").count()).toBe(0);

    own?.thaw("kafka");
    await row(page, "During the silence").waitFor({ timeout: 90_000 });
    for (const one of [page, beside]) {
      await isLive(one);
      expect(await state(one).textContent()).toBe("Live");
      expect(await row(one, "During the silence").count()).toBe(1);
    }
    await look(page, "62-live-again");
  },
  240_000,
);
