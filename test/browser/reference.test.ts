import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { gatewayWithoutParts } from "../../dev/api/assemble-document.ts";
import { accessibilityProblems, openBrowser } from "../support/browser.ts";

let browser: Browser;
let server: Bun.Server<undefined>;

beforeAll(async () => {
  const gateway = gatewayWithoutParts();
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => gateway.fetch(request) });
  browser = await openBrowser();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop(true);
});

test.each([
  [1280, "light"],
  [375, "dark"],
] as const)("the reference fits %d pixels, is accessible in %s, and keeps its policy", async (width, colorScheme) => {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const complaints: string[] = [];
  page.on("console", (message) => {
    // There is no icon without the page's files.
    if (message.type() === "error" && !message.text().includes("404")) complaints.push(message.text());
  });
  await page.goto(new URL("/docs#createTask", server.url).href);
  // Led to an operation, the browser unfolds it.
  expect(await page.locator("details[open] #createTask").count()).toBe(1);
  await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await page.close();
});
