import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { readConfig } from "../../../shared/role/config.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { channelSettings } from "../../../workers/notification-service/channels/channel-settings.ts";
import { channelsWith } from "../../../workers/notification-service/channels/channels.ts";
import { makeChannels } from "../../../workers/notification-service/channels/open-channels.ts";
import { retryDelayMs, retryPolicyOf } from "../../../workers/notification-service/send/retry-delay.ts";
import { makeSenderWake } from "../../../workers/notification-service/send/sender-wake.ts";

const log = makeLog({}, "error");

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const policy = { baseMs: 1_000, capMs: 600_000, maxAttempts: 12, forMs: 3_600_000 };

describe("retries", () => {
  const after = (attempt: number, draw: number, dueForMs = 0) =>
    retryDelayMs({ attempt, dueForMs }, policy, () => draw);
  test("the wait lies between nothing and a bound that doubles up to the cap", () => {
    expect([1, 2, 3, 10, 11].map((attempt) => after(attempt, 1))).toEqual([1_000, 2_000, 4_000, 512_000, 600_000]);
    expect(after(3, 0)).toBe(0);
  });
  test("the last attempt is not followed by another, nor one after the whole time", () => {
    expect(after(12, 1)).toBeNull();
    expect([after(2, 1, 3_599_999), after(2, 1, 3_600_000)]).toEqual([2_000, null]);
  });
  test("whatever the draw, the wait is within the bound", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 11 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, draw) => {
          const delay = after(attempt, draw);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(Math.min(600_000, 1000 * 2 ** (attempt - 1)));
        },
      ),
    );
  });
  test("webhooks are tried for a day, in fewer attempts than are recorded and recovering within an hour of the receiver", () => {
    const webhook = retryPolicyOf("webhook", false);
    const attempts = (draw: number) => {
      let [attempt, dueForMs] = [1, 0];
      for (; ; attempt++) {
        const delay = retryDelayMs({ attempt, dueForMs }, webhook, () => draw);
        if (delay === null) return { attempt, hours: dueForMs / 3_600_000 };
        dueForMs += delay;
      }
    };
    expect(attempts(0.5).hours).toBeWithin(24, 25);
    expect(attempts(0.5).attempt).toBeLessThan(webhook.maxAttempts);
    expect(webhook.capMs).toBe(3_600_000);
  });
  test("where another way is left, a channel is given up after a quarter of an hour", () => {
    expect(retryPolicyOf("email", true).forMs).toBe(900_000);
  });
});

test("people hear what goes to them, never what goes to the operator; webhooks have breakers; the list holds what it has at once", () => {
  expect(channelsWith(({ rings }) => rings)).toEqual(["in-app", "webhook", "email"]);
  expect(channelsWith(({ hasBreaker }) => hasBreaker)).toEqual(["webhook"]);
  expect(channelsWith(({ isInstant }) => isInstant)).toEqual(["in-app"]);
  expect(channelsWith(({ unasked }) => unasked === "until chosen")).toEqual(["log"]);
  expect(channelsWith(({ removed }) => removed !== null)).toEqual(["webhook", "email"]);
});

describe("the channels of an environment", () => {
  const made = (env: Record<string, string>) =>
    makeChannels(readConfig(channelSettings, env), { log, now: () => new Date(), mail: null });
  const names = (env: Record<string, string>) => made(env).channels.map(({ name }) => name);
  test("people's are always there; the operator has none", () => {
    expect(names({})).toEqual(["in-app", "log", "webhook", "email"]);
    expect(made({}).operatorWays).toEqual([]);
  });
  test("with a URL and a secret everything is posted to the operator too", () => {
    const env = { NOTIFY_WEBHOOK_URL: "https://example.org/hook", NOTIFY_WEBHOOK_SECRET: secret };
    expect(names(env)).toContain("operator-webhook");
    expect(made(env).operatorWays).toEqual([{ channel: "operator-webhook", target: "" }]);
  });
  test("without a mail server e-mail refuses, so that the next of a chain is taken", async () => {
    const email = made({}).channels.find(({ name }) => name === "email");
    const told = {
      id: "n",
      userId: "u",
      kind: "reminder",
      reminders: [],
      target: "ada@example.org",
      secret: null,
      correlationId: null,
      causationId: null,
      traceparent: null,
    } as const;
    expect(await email?.send(told, 1)).toEqual({ outcome: "refused", reason: "mail is not set up" });
  });
  test.each<[string | null, string, boolean]>([
    [null, "ada@example.org", false],
    ["any", "ada@example.org", true],
    ["example.org, example.net", "ada@Example.NET", true],
    ["example.org", "ada@sub.example.org", false],
    ["example.org", "ada@example.org@example.com", false],
  ])("with NOTIFY_EMAIL_TO=%s a mail to %s is sent: %p", async (to, target, isSent) => {
    const env = { NOTIFY_EMAIL_FROM: "a@example.org", ...(to === null ? {} : { NOTIFY_EMAIL_TO: to }) };
    const mail = { sendMail: () => Promise.resolve(), connections: 1 };
    const { channels } = makeChannels(readConfig(channelSettings, env), { log, now: () => new Date(), mail });
    const email = channels.find(({ name }) => name === "email");
    const told = {
      id: "n",
      userId: "u",
      kind: "reminder",
      reminders: [],
      target,
      secret: null,
      correlationId: null,
      causationId: null,
      traceparent: null,
    } as const;
    expect(await email?.send(told, 1)).toEqual(
      isSent
        ? { outcome: "delivered" }
        : { outcome: "refused", reason: "the operator does not allow mail to this address" },
    );
  });
  test.each<[Record<string, string>, string]>([
    [{ NOTIFY_WEBHOOK_URL: "https://example.org/hook" }, "NOTIFY_WEBHOOK_SECRET is not set"],
    [{ NOTIFY_WEBHOOK_URL: "ftp://example.org" }, "must be a URL beginning with http:// or https://"],
    [{ NOTIFY_WEBHOOK_URL: "example.org/hook" }, "must be a URL beginning with http:// or https://"],
    [{ NOTIFY_WEBHOOK_URL: "https://example.org/hook", NOTIFY_WEBHOOK_SECRET: "whsec_" }, "24 to 64 bytes in base64"],
    [
      { NOTIFY_WEBHOOK_URL: "https://example.org/hook", NOTIFY_WEBHOOK_SECRET: `${secret}M` },
      "24 to 64 bytes in base64",
    ],
    [{ NOTIFY_SMTP_URL: "smtp://mail.example.org" }, "NOTIFY_EMAIL_FROM is not an address"],
    [
      { NOTIFY_SMTP_URL: "mail.example.org", NOTIFY_EMAIL_FROM: "a@example.org" },
      "must be a URL beginning with smtp://",
    ],
  ])("%j is refused", (env, message) => {
    expect(() => names(env)).toThrow(message);
  });
});

describe("waking a loop", () => {
  const never = new AbortController().signal;
  /** Which of a wait and a pause that begins now ends first: the order of timers, however slow the machine. */
  const isBefore = (wait: Promise<void>, ms: number) => {
    const stop = new AbortController();
    const pause = makeSenderWake().sleep(ms, stop.signal);
    return Promise.race([wait.then(() => true), pause.then(() => false)]).finally(() => stop.abort());
  };
  test("a wake-up while nobody waits is not lost", async () => {
    const wake = makeSenderWake();
    wake.now();
    expect(await isBefore(wake.wait(never), 900)).toBe(true);
  });
  test("a wake-up ends the wait", async () => {
    const wake = makeSenderWake();
    const waited = isBefore(wake.wait(never), 900);
    wake.now();
    expect(await waited).toBe(true);
  });
  test("after a hint it looks often for a moment, then by the second again", async () => {
    let clock = 0;
    const wake = makeSenderWake(() => clock);
    wake.soon();
    await wake.wait(never);
    expect(await isBefore(wake.wait(never), 500)).toBe(true);
    clock = 10_000;
    expect(await isBefore(wake.wait(never), 900)).toBe(false);
  });
  test("an abort ends it", async () => {
    const stop = new AbortController();
    const waited = isBefore(makeSenderWake().wait(stop.signal), 900);
    stop.abort();
    expect(await waited).toBe(true);
    expect(await isBefore(makeSenderWake().wait(stop.signal), 900)).toBe(true);
  });
});
