import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { readSoundSchemas } from "../../workers/operator/sound-schemas.ts";
import { openPage as openFiles } from "../../shared/http/open-page.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { buildApp } from "../../workers/operator/app.ts";
import { openJobs } from "../../workers/operator/http/jobs.ts";
import { accessibilityProblems, openBrowser } from "../support/browser.ts";
import { operatorWorld, type OperatorWorld } from "../support/operator-world.ts";
import { until } from "../support/until.ts";

let world: OperatorWorld;
let browser: Browser;
let server: Bun.Server<undefined>;
const stop = new AbortController();
let contexts: BrowserContext[] = [];
let consoleErrors: string[] = [];

beforeAll(async () => {
  [world, browser] = await Promise.all([operatorWorld(), openBrowser()]);
  const app = buildApp({
    http: { version: "1", newId: () => crypto.randomUUID(), log: world.log, metrics: makeMetrics("operator") },
    token: "s3cret",
    guesses: null,
    trustedProxies: 0,
    page: await openFiles(join(import.meta.dir, "../../workers/operator/page")),
    deps: {
      ...world,
      codec: () => Promise.resolve(world.codec),
      registry: () => world.registry,
      topicSettings: { partitions: 6, retentionMs: 604_800_000, replication: null },
      jobs: openJobs(stop.signal, world.log),
      now: () => new Date(),
      readSchemas: readSoundSchemas,
    },
  });
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, own) => {
      own.timeout(request, 0);
      return app.fetch(request);
    },
  });
}, 150_000);
afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()));
  contexts = [];
  await world.clear();
  expect(consoleErrors).toEqual([]);
  consoleErrors = [];
});
afterAll(async () => {
  stop.abort();
  await browser?.close();
  await server?.stop(true);
  await world?.[Symbol.asyncDispose]();
}, 30_000);

async function openPage(viewport = { width: 1200, height: 900 }): Promise<Page> {
  const context = await browser.newContext({ locale: "en-GB", viewport });
  contexts.push(context);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => {
    if (message.type() === "error" && !/401|404|409|503/.test(message.text())) consoleErrors.push(message.text());
  });
  page.on("pageerror", (error) => consoleErrors.push(String(error)));
  await page.goto(server.url.href);
  return page;
}

async function signIn(page: Page): Promise<void> {
  await page.getByRole("textbox", { name: "Token" }).fill("s3cret");
  await page.getByLabel("Your name").fill("grace");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("status").filter({ hasText: "As of" }).waitFor();
}

async function look(page: Page, name: string): Promise<void> {
  const directory = process.env["SCREENSHOTS"];
  if (!directory) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `operator-${name}.png`), fullPage: true });
}

test("the token is asked once, a wrong one is refused, and this tab keeps the right one", async () => {
  const page = await openPage();
  await page.getByRole("textbox", { name: "Token" }).fill("wrong");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "token is needed" }).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await look(page, "1-token");
  await signIn(page);
  await page.getByText("No group has given up on anything.").waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Consumer groups" }).waitFor();
  await page.getByRole("button", { name: "Forget the token" }).click();
  await page.getByRole("heading", { name: "The operator's token" }).waitFor();
}, 60_000);

test("a dead letter is found by its kind, read decoded, and redriven after its plan was shown", async () => {
  const { id, key } = await world.die({ updated: { title: "Milk <b>and</b> bread" }, error: "no such series" });
  await world.die({ error: "no such series" });
  await world.die({ group: "reminder-service", fingerprint: "beef", class: "invalid", error: "not Avro" });
  await world.park("reminder-service", "5f0c6f2e", 3);
  await world.db
    .sql`insert into outbox_holds (topic, key, reason) values ('task-events', 'a', 'the record is too large')
    on conflict do nothing`;
  await world.ops("consumers", "pause", "notification-service", "--reason", "the mail server moves");
  const page = await openPage();
  await signIn(page);
  const kind = page.getByRole("row").filter({ hasText: "no such series" });
  await kind.getByText("permanent").waitFor();
  await page.getByText("paused by ada").waitFor();
  await look(page, "2-board");
  expect(await accessibilityProblems(page)).toEqual([]);

  await kind.getByRole("button", { name: /^Look/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("as TaskUpdated").waitFor();
  await dialog.getByRole("group", { name: "The record" }).waitFor();
  await look(page, "3-letter");
  expect(await accessibilityProblems(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Close" }).click();

  await kind.getByRole("button", { name: /^Redrive/ }).click();
  await dialog.getByText("2 messages of 2 keys go back to task-update-broadcaster and to no other group").waitFor();
  await dialog.getByLabel("Why").fill("series restored");
  await look(page, "4-redrive");
  expect(await accessibilityProblems(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Redrive 2 messages" }).click();
  await kind.waitFor({ state: "detached" });
  await page.getByRole("row").filter({ hasText: "series restored" }).getByText("grace (http)").waitFor();
  const [parked] = await world.db.sql<{ n: number }[]>`
    select count(*)::int as n from parked_messages where redrive_id is not null`;
  expect(parked?.n).toBe(2);
  expect(await world.ops.json<object>("dlq", "show", id)).toMatchObject({ key, state: "redriven" });
}, 60_000);

test("a copy is edited where its mistake is shown, and the group is paused from its row", async () => {
  const { data } = await world.die();
  const page = await openPage();
  await signIn(page);
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: /^Look at a sample/ }).click();
  await dialog.getByRole("button", { name: "Edit a copy" }).click();
  const text = dialog.getByLabel("The record as JSON");
  await text.fill("{");
  await dialog.getByRole("button", { name: "Make the copy" }).click();
  await dialog.getByRole("alert").filter({ hasText: "not JSON" }).waitFor();
  await text.fill(JSON.stringify({ ...data, updated_fields: { title: "Butter" } }));
  await dialog.getByRole("button", { name: "Make the copy" }).click();
  await dialog.waitFor({ state: "hidden" });
  await until(
    "the copy",
    async () => (await world.db.sql`select from dead_letters where edited_from is not null`).length === 1,
  );

  await page.getByRole("button", { name: "Pause reminder-service" }).click();
  await dialog.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Resume reminder-service" }).waitFor();
  await page.getByText("paused by grace").waitFor();
}, 60_000);

test("the tail shows new records decoded, and a narrow screen has no more than it can hold", async () => {
  const page = await openPage({ width: 400, height: 800 });
  await signIn(page);
  await page.getByLabel("Topic").selectOption("task-events");
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("button", { name: "Stop" }).waitFor();
  const data = { id: crypto.randomUUID(), user_id: crypto.randomUUID(), deleted_at: new Date() };
  const names = { ce_type: "TaskDeleted", "content-type": "application/vnd.confluent.avro" };
  const headers = Object.entries(names).map(([name, value]) => [name, Buffer.from(value)] as const);
  await using producer = await world.broker.producer();
  await producer.send([
    {
      topic: "task-events",
      timestamp: Date.now(),
      key: data.id,
      value: world.codec.encode("TaskDeleted", data),
      headers,
    },
  ]);
  const record = page.getByRole("listitem").filter({ hasText: data.id });
  await record.getByText("TaskDeleted", { exact: true }).click();
  await record.getByText(data.user_id).waitFor();
  await look(page, "5-tail");
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
}, 60_000);

test("a part that cannot be read is said, and the others are shown", async () => {
  const { id } = await world.die({ error: "no such series" });
  const page = await openPage();
  await page.route("**/api/groups", (route) =>
    route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"detail":"Kafka is away"}' }),
  );
  await page.getByRole("textbox", { name: "Token" }).fill("s3cret");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("row").filter({ hasText: "no such series" }).waitFor();
  await page.getByRole("alert").filter({ hasText: "Kafka is away" }).waitFor();
  await page.getByRole("status").filter({ hasText: "1 part not read" }).waitFor();
  await page.route(`**/api/dead-letters/${id}`, (route) =>
    route.fulfill({
      status: 404,
      contentType: "application/problem+json",
      body: '{"detail":"there is no dead letter"}',
    }),
  );
  await page.getByRole("button", { name: /^Look at a sample/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("there is no dead letter").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.unroute("**/api/groups");
  await page.getByRole("row").filter({ hasText: "notification-service" }).waitFor();
  await page.getByRole("status").filter({ hasText: "As of" }).waitFor();
  expect(await page.getByRole("alert").isVisible()).toBe(false);
}, 60_000);
