import { describe, expect, test } from "bun:test";
import { makeLog } from "../../../shared/role/log.ts";
import type { ToldReminder } from "../../../workers/notification-service/channels/channel.ts";
import { emailText } from "../../../workers/notification-service/channels/email-text.ts";
import { localTime, localTimeWords } from "../../../workers/notification-service/channels/local-time.ts";
import { makeLogChannel } from "../../../workers/notification-service/channels/log-channel.ts";
import { zoneAndDay } from "../../../workers/notification-service/send/read-dues.ts";
import { webhookBody } from "../../../workers/notification-service/channels/webhook-body.ts";

const at = new Date("2026-11-28T21:58:00Z");
const reminder = (of: Partial<ToldReminder> = {}): ToldReminder => ({
  reminderId: "r",
  taskId: "t",
  title: "Take the cake out",
  remindAt: at,
  triggeredAt: at,
  lateBy: null,
  tz: "Asia/Kolkata",
  dueOn: null,
  ...of,
});
const notification = (...reminders: readonly ToldReminder[]) => ({
  id: "n",
  userId: "u",
  kind: reminders.length === 1 ? ("reminder" as const) : ("digest" as const),
  reminders,
  target: "",
  secret: null,
  correlationId: null,
  causationId: null,
  traceparent: null,
});
const mail = (...reminders: readonly ToldReminder[]) => emailText(notification(...reminders));

describe("a time", () => {
  test.each([
    [
      "2026-11-28T21:58:00Z",
      "Asia/Kolkata",
      "Sun 29 Nov 2026, 03:28 (Asia/Kolkata, UTC+05:30)",
      "2026-11-29T03:28:00.000+05:30",
    ],
    ["2026-11-28T21:58:00Z", "UTC", "Sat 28 Nov 2026, 21:58 (UTC)", "2026-11-28T21:58:00.000+00:00"],
    [
      "2026-07-01T00:00:00Z",
      "America/St_Johns",
      "Tue 30 Jun 2026, 21:30 (America/St_Johns, UTC-02:30)",
      "2026-06-30T21:30:00.000-02:30",
    ],
    [
      "2026-10-25T00:30:00Z",
      "Europe/Berlin",
      "Sun 25 Oct 2026, 02:30 (Europe/Berlin, UTC+02:00)",
      "2026-10-25T02:30:00.000+02:00",
    ],
    [
      "2026-10-25T01:30:00Z",
      "Europe/Berlin",
      "Sun 25 Oct 2026, 02:30 (Europe/Berlin, UTC+01:00)",
      "2026-10-25T02:30:00.000+01:00",
    ],
    [
      "2030-01-01T00:00:00Z",
      "Pacific/Kiritimati",
      "Tue 1 Jan 2030, 14:00 (Pacific/Kiritimati, UTC+14:00)",
      "2030-01-01T14:00:00.000+14:00",
    ],
  ])("%s in %s is %s", (iso, tz, words, local) => {
    expect([localTimeWords(new Date(iso), tz), localTime(new Date(iso), tz)]).toEqual([words, local]);
    expect(new Date(local)).toEqual(new Date(iso));
  });

  test("is told in the zone of its due, else in the person's, else in UTC", () => {
    const due = (tz: string | null) => ({ tz, on: null });
    expect(zoneAndDay(due("Europe/Berlin"), "Asia/Kolkata").tz).toBe("Europe/Berlin");
    expect([zoneAndDay(due(null), "Asia/Kolkata").tz, zoneAndDay(undefined, "Asia/Kolkata").tz]).toEqual([
      "Asia/Kolkata",
      "Asia/Kolkata",
    ]);
    expect([zoneAndDay(due("Mars/Base"), "Asia/Kolkata").tz, zoneAndDay(due(null), "Mars/Base").tz]).toEqual([
      "Asia/Kolkata",
      "UTC",
    ]);
  });
});

describe("a mail", () => {
  test("tells a time on the person's clock with its zone, and of an all-day task the day alone", () => {
    expect(mail(reminder())).toEqual({
      subject: "Reminder: Take the cake out",
      text: "- Take the cake out: Sun 29 Nov 2026, 03:28 (Asia/Kolkata, UTC+05:30)\n",
    });
    expect(mail(reminder({ dueOn: "2026-12-01", lateBy: 600 })).text).toBe(
      "- Take the cake out: due Tue 1 Dec 2026, told 10 min late\n",
    );
  });

  test("of several tells each in its own zone", () => {
    const { subject, text } = mail(reminder(), reminder({ title: "Call", tz: "America/Lima", remindAt: null }));
    expect(subject).toBe("2 reminders, first: Take the cake out");
    expect(text).toBe(
      "- Take the cake out: Sun 29 Nov 2026, 03:28 (Asia/Kolkata, UTC+05:30)\n" +
        "- Call: Sat 28 Nov 2026, 16:58 (America/Lima, UTC-05:00)\n",
    );
  });

  test.each([
    ["an override", "abc\u202edef", "abcdef"],
    ["embeddings, isolates and their ends", "\u202aa\u202bb\u202dc\u202c\u2066d\u2067e\u2068f\u2069", "abcdef"],
    ["letters from right to left", "\u05d7\u05dc\u05d1 2%", "\u2068\u05d7\u05dc\u05d1 2%\u2069"],
    ["such letters and an end of isolates", "\u0645\u2069\u202ea", "\u2068\u0645a\u2069"],
    ["what rings and steers terminals", "ding\u0007 \u001b[31mred\u009b1m\u007f", "ding [31mred 1m"],
    ["lines", "one\r\ntwo\u2028three\u0085four", "one two three four"],
    ["nothing", null, "a task"],
    ["nothing but controls", "\u202e\u0007", "a task"],
  ])("keeps %s of a title to itself", (_what, title, shown) => {
    const { subject, text } = mail(reminder({ title, tz: "UTC" }));
    expect([subject, text]).toEqual([`Reminder: ${shown}`, `- ${shown}: Sat 28 Nov 2026, 21:58 (UTC)\n`]);
  });

  test("of a long title has a subject of 120 characters, whose isolate is closed", () => {
    expect([...mail(reminder({ title: "x".repeat(500) })).subject]).toHaveLength(120);
    expect(mail(reminder({ title: "\u05d7".repeat(500) })).subject).toEndWith("…\u2069");
  });
});

test("a webhook's text is one line; its time is an instant, a local time and a zone", () => {
  expect(JSON.parse(webhookBody(notification(reminder({ title: "ding\u0007\u001b[2J \u202e" })))).data).toMatchObject({
    title: "ding [2J \u202e",
    remind_at: "2026-11-28T21:58:00.000Z",
    remind_at_local: "2026-11-29T03:28:00.000+05:30",
    tz: "Asia/Kolkata",
    due_on: null,
  });
  const { data } = JSON.parse(webhookBody(notification(reminder(), reminder({ dueOn: "2026-12-01", remindAt: null }))));
  expect(data.reminders).toMatchObject([
    { due_on: null, remind_at_local: "2026-11-29T03:28:00.000+05:30" },
    { due_on: "2026-12-01", remind_at_local: null, tz: "Asia/Kolkata" },
  ]);
});

test("the log tells when it was for, on the person's clock, and no title", async () => {
  const lines: string[] = [];
  const channel = makeLogChannel(makeLog({}, "info", (line) => lines.push(line)));
  await channel.send(notification(reminder()), 1);
  await channel.send(notification(reminder({ dueOn: "2026-12-01" })), 1);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: "notification", remindAt: "2026-11-29T03:28:00.000+05:30", tz: "Asia/Kolkata" },
    { event: "notification", dueOn: "2026-12-01" },
  ]);
  expect(lines.join()).not.toContain("cake");
});
