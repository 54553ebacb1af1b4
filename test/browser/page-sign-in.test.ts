import { expect, test } from "bun:test";
import { SignJWT } from "jose";
import type { Page } from "playwright-core";
import { accessibilityProblems } from "../support/browser.ts";
import { add, isLive, look, row, titleField, titles, usePages } from "../support/pages.ts";

const account = "https://id.example.org/";
const pages = usePages({ env: { AUTH_MODE: "jwt", SIGN_IN_URL: account } });

function tokenOf(name: string, seconds = 3_600): Promise<string> {
  return new SignJWT({ name })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(`${name}@example.org`)
    .setExpirationTime(new Date(Date.now() + seconds * 1_000))
    .sign(new TextEncoder().encode(pages.system().env["AUTH_SECRET"]));
}

async function signIn(page: Page, name: string, seconds?: number): Promise<void> {
  await page.getByLabel("Your token").fill(await tokenOf(name, seconds));
  await page.getByRole("button", { name: "Continue" }).click();
  await isLive(page);
}

test("where an identity provider makes the sessions, the page says so, leads there, and takes a token for a session", async () => {
  const page = await pages.open();
  await page.getByLabel("Your token").waitFor();
  expect(await page.getByRole("link", { name: "Sign in with your account" }).getAttribute("href")).toBe(account);
  expect(await page.getByText("Any name will do").isVisible()).toBe(false);
  await look(page, "40-token");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByLabel("Your token").fill("half.a.token");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("alert").filter({ hasText: "does not take this token" }).waitFor();
  await page.setViewportSize({ width: 320, height: 640 });
  await look(page, "40-token-refused-narrow");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  expect(await accessibilityProblems(page)).toEqual([]);
  await signIn(page, "ada");
  await add(page, "Water the plants");
  await row(page, "Water the plants").waitFor();
  // No script can read what opens the account.
  expect(
    await page.evaluate(() => [document.cookie, JSON.stringify([{ ...localStorage }, { ...sessionStorage }])].join()),
  ).not.toContain("eyJ");
}, 60_000);

test("a person's name is still there after a reload, and the session too", async () => {
  const page = await pages.open();
  await signIn(page, "ben");
  await page.reload();
  await isLive(page);
  expect(await page.locator("#user").textContent()).toBe("ben");
}, 60_000);

test("a second tab in which another person signs in turns the first one into theirs, and nothing is written into the wrong account", async () => {
  const first = await pages.open();
  await signIn(first, "cem");
  await add(first, "Of cem");
  await row(first, "Of cem").waitFor();
  await titleField(first).fill("Half a thought of cem");
  const second = await pages.openBeside(first);
  await isLive(second);
  await second.getByRole("button", { name: "Sign out" }).click();
  await first.getByText(/^(You signed out in another tab|Your session has ended)/).waitFor();
  await signIn(second, "cleo");
  await isLive(first);
  await first.getByRole("status").filter({ hasText: "You are signed in as cleo now." }).waitFor();
  expect([
    await first.locator("#user").textContent(),
    await titles(first),
    await titleField(first).inputValue(),
  ]).toEqual(["cleo", [], ""]);
  await add(first, "Of cleo");
  await row(second, "Of cleo").waitFor();
  // What was begun is there again for the one who began it.
  await first.getByRole("button", { name: "Sign out" }).click();
  await signIn(first, "cem");
  expect([await titles(first), await titleField(first).inputValue()]).toEqual([["Of cem"], "Half a thought of cem"]);
}, 60_000);

test("when a session ends the page says so, and what was being written is there after signing in again", async () => {
  const page = await pages.open();
  await signIn(page, "dan", 20); // longer than the writing takes
  await add(page, "Call mum");
  await row(page, "Call mum").getByRole("button", { name: "Edit" }).click();
  await page.getByRole("form", { name: "Edit Call mum" }).getByLabel("Title").fill("Call mum and dad");
  await titleField(page).fill("Half a thought");
  await page.getByText("Your session has ended.").waitFor({ timeout: 45_000 });
  expect(await page.locator("#tasks > li").count()).toBe(0);
  await look(page, "41-session-ended");
  await signIn(page, "dan");
  expect([
    await titleField(page).inputValue(),
    await page.getByRole("form", { name: "Edit Call mum" }).getByLabel("Title").inputValue(),
  ]).toEqual(["Half a thought", "Call mum and dad"]);
}, 90_000);
