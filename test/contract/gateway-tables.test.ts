import { afterAll, beforeAll, expect, test } from "bun:test";
import { digestOf } from "../../shared/digest.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openTestDb } from "../support/database.ts";
import { openSessions, type SignInSession } from "../../workers/ui-gateway/sign-in/sessions.ts";
import { issueTicket, redeemTicket } from "../../workers/ui-gateway/sign-in/tickets.ts";
import { until } from "../support/until.ts";

const log = makeLog({}, "error");
let db: Db;
beforeAll(async () => {
  db = await openTestDb(4);
}, 30_000);
afterAll(async () => {
  await db[Symbol.asyncDispose]();
}, 30_000);

/** Answers the first statement and those that a notification causes. The look that is made every 5 s finds nothing. */
function toldAlone(of: Db): Pick<Db, "sql" | "listen" | "notifier"> {
  let answers = true;
  const sql = new Proxy(of.sql, {
    apply: (target, self, args) =>
      answers ? Reflect.apply(target, self, args) : Promise.reject(new Error("nobody has told it to look")),
  });
  const listen: Db["listen"] = (channel, heard) => {
    answers = false;
    return of.listen(channel, (text) => {
      answers = true;
      heard(text);
      answers = false;
    });
  };
  return { sql, listen, notifier: of.notifier };
}

test("the end of a session is known to every instance at once, and to one that starts later", async () => {
  const expiresAt = new Date(Date.now() + 60_000);
  const session = (): SignInSession => ({ id: crypto.randomUUID(), userId: crypto.randomUUID(), expiresAt });
  const who = ({ id, userId }: SignInSession) => ({ sessionId: id, userId });
  const told: string[] = [];
  await using here = await openSessions(db, { log, now: () => new Date(), onEnded: () => void told.push("here") });
  await using there = await openSessions(toldAlone(db), {
    log,
    now: () => new Date(),
    onEnded: (isOver) => void told.push(`there ${isOver(who(one))}`),
  });
  // One made here, one whose token came from elsewhere.
  const [one, foreign] = [session(), session()];
  await here.begin(one);
  expect([here.isOver(who(one)), there.isOver(who(one))]).toEqual([false, false]);
  await here.end(one);
  expect(here.isOver(who(one))).toBeTrue();
  await until("the other knows", () => there.isOver(who(one)), { everyMs: 5 });
  await here.end(foreign);
  await here.end(foreign);
  await until("the other knows of the foreign one", () => there.isOver(who(foreign)), { everyMs: 5 });
  expect(told).toContain("there true");
  await using later = await openSessions(db, { log, now: () => new Date(), onEnded: () => {} });
  expect([
    later.isOver(who(one)),
    later.isOver(who(foreign)),
    later.isOver({ ...who(one), sessionId: "unknown" }),
  ]).toEqual([true, true, false]);
});

test("a session is one user's, and stays ended until the last token of it expires", async () => {
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);
  const [ada, bob] = [crypto.randomUUID(), crypto.randomUUID()];
  await using here = await openSessions(db, { log, now: () => new Date(), onEnded: () => {} });
  await here.end({ id: "same", userId: ada, expiresAt: inSeconds(-3) });
  await using early = await openSessions(db, { log, now: () => new Date(), onEnded: () => {} });
  // Tokens are taken for some seconds after their end.
  expect(early.isOver({ userId: ada, sessionId: "same" })).toBeTrue();
  await here.end({ id: "same", userId: ada, expiresAt: inSeconds(600) });
  await here.end({ id: "same", userId: ada, expiresAt: inSeconds(60) });
  await using later = await openSessions(db, { log, now: () => new Date(), onEnded: () => {} });
  for (const { isOver } of [here, later]) {
    expect(isOver({ userId: ada, sessionId: "same" })).toBeTrue();
    expect(isOver({ userId: bob, sessionId: "same" })).toBeFalse();
  }
  await here.end({ id: "same", userId: bob, expiresAt: inSeconds(60) });
  const rows = await db.sql<{ user_id: string; left: number }[]>`
    select user_id, round(extract(epoch from expires_at - clock_timestamp()))::int as left
    from sessions where id = 'same'`;
  const left = Object.fromEntries(rows.map((row) => [row.user_id, row.left]));
  expect(left[ada]).toBeWithin(500, 601);
  expect(left[bob]).toBeWithin(30, 61);
});

test("a ticket is stored as a digest, good once and not for ever", async () => {
  const who = { userId: crypto.randomUUID(), sessionId: "s", expiresAt: new Date(Date.now() + 60_000) };
  const { ticket, expiresAt } = await issueTicket(db, who);
  expect(expiresAt.getTime() - Date.now()).toBeWithin(25_000, 35_000);
  const stored = await db.sql<{ hash: Buffer }[]>`select hash from stream_tickets`;
  const digest = Buffer.from(digestOf("sha256", ticket)).toString("hex");
  expect(stored.map(({ hash }) => hash.toString("hex"))).toEqual([digest]);
  const redeemed = await Promise.all(Array.from({ length: 5 }, () => redeemTicket(db, ticket)));
  expect(redeemed.filter((one) => one !== null)).toEqual([who]);
  const late = await issueTicket(db, who);
  await db.sql`update stream_tickets set expires_at = clock_timestamp() - interval '1 second'`;
  expect(await redeemTicket(db, late.ticket)).toBeNull();
  await issueTicket(db, who);
  expect(await db.sql`select count(*)::int as left from stream_tickets`).toEqual([{ left: 1 }] as never);
});
