import { afterAll, afterEach, beforeAll, expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import { roleNames } from "../../shared/messages/topics.ts";
import { openBrowser } from "./browser.ts";
import { startSystem, type System, type SystemOptions } from "./system.ts";

type Pages = Readonly<{
  system: () => System;
  /** A device of its own: cookies and all. */
  open: (options?: BrowserContextOptions, address?: string) => Promise<Page>;
  /** One more page of the same device. */
  openBeside: (page: Page, address?: string) => Promise<Page>;
  /** What a browser complains about in this test is meant. */
  forgive: () => void;
}>;

/** The page speaks to none of the operator's. */
const rolesBehindPage = Object.fromEntries(roleNames.filter((role) => role !== "operator").map((role) => [role, 1]));

/**
 * For the tests of one file: a system and a browser; after each test its devices are gone, and no page has complained.
 * `options` may be made by the time the system starts, from what that needs.
 */
export function usePages(options: SystemOptions | (() => Promise<SystemOptions>) = {}): Pages {
  let system: System;
  let browser: Browser;
  let contexts: BrowserContext[] = [];
  let complaints: string[] = [];
  let isForgiven = false;

  beforeAll(async () => {
    const made = typeof options === "function" ? await options() : options;
    [system, browser] = await Promise.all([startSystem({ roles: rolesBehindPage, ...made }), openBrowser()]);
  }, 150_000);
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
    const found = isForgiven ? [] : complaints;
    [complaints, isForgiven] = [[], false];
    expect(found).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await system?.[Symbol.asyncDispose]();
  }, 30_000);

  const openIn = async (context: BrowserContext, address = system.url("ui-gateway")): Promise<Page> => {
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => {
      // The first look at the session of a stranger is a 401, and the browser says so by itself. So is it with a 412.
      const isMeant = /status of (401|412)/.test(message.text());
      // A series whose template was made a moment ago: it is read again a little later.
      const isEarly = /status of 404/.test(message.text()) && message.location().url.includes("/v1/series/");
      if (message.type() === "error" && !isMeant && !isEarly) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(address);
    return page;
  };
  return {
    system: () => system,
    open: async (context = {}, address) => {
      const made = await browser.newContext({
        timezoneId: "Europe/Berlin",
        locale: "en-GB",
        viewport: { width: 960, height: 720 },
        ...context,
      });
      contexts.push(made);
      return openIn(made, address);
    },
    openBeside: (page, address) => openIn(page.context(), address),
    forgive: () => void (isForgiven = true),
  };
}

export async function signIn(page: Page, user: string): Promise<void> {
  await page.getByLabel("Your name").fill(user);
  await page.getByRole("button", { name: "Continue" }).click();
  await isLive(page);
}

export async function isLive(page: Page): Promise<void> {
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
}

/** The form above the list: a task being edited has the same fields. */
export const addForm = (page: Page): Locator => page.getByRole("form", { name: "Add a task" });
export const titleField = (page: Page): Locator => page.getByLabel("What needs doing?");
export const dueField = (page: Page): Locator => addForm(page).getByRole("textbox", { name: "Due" });
export const row = (page: Page, title: string): Locator => page.getByRole("listitem").filter({ hasText: title });
export const pick = (page: Page, name: string, option: string): Promise<string[]> =>
  addForm(page).getByRole("combobox", { name }).selectOption(option);

export async function add(page: Page, title?: string): Promise<void> {
  if (title !== undefined) await titleField(page).fill(title);
  await page.getByRole("button", { name: "Add task" }).click();
}

/** The titles of the list, as they stand. */
export const titles = (page: Page): Promise<string[]> => page.locator("#tasks .title").allTextContents();

/** The value a datetime-local field takes, in the zone of the page. */
export function localTime(page: Page, inMs: number): Promise<string> {
  return page.evaluate((ms) => {
    const date = new Date(Date.now() + ms);
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  }, inMs);
}

/** A picture for people, where `SCREENSHOTS` names a folder. */
export async function look(page: Page, name: string, options: Readonly<{ fullPage?: boolean }> = {}): Promise<void> {
  const directory = process.env["SCREENSHOTS"];
  if (!directory) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage: options.fullPage ?? true });
}

export type Api = <T>(method: string, path: string, body?: unknown) => Promise<T>;

/** The API as somebody else of the same person uses it, an assistant say. Rejects on an answer that is no success. */
export async function apiOf(address: string, user: string): Promise<Api> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  const call: Api = async (method, path, body) => {
    const response = await fetch(address + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text || "null");
  };
  const { token } = await call<{ token: string }>("POST", "/v1/session", { user });
  headers["authorization"] = `Bearer ${token}`;
  return call;
}
