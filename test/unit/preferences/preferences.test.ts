import { expect, test } from "bun:test";
import { defaultPreferences, preferencesInput, spanMs } from "../../../shared/preferences/preferences.ts";
import { isWebhookSecret } from "../../../shared/preferences/webhook-secret.ts";
import { storedPreferences } from "../../../shared/preferences/read-preferences.ts";

const secret = `whsec_${"A".repeat(32)}`;
const webhook = { type: "webhook", url: "https://example.org/hook", secret };

test("what is not said takes its default", () => {
  expect(defaultPreferences).toEqual({
    tz: "UTC",
    all_day_at: "09:00",
    default_reminders: ["PT0S"],
    quiet_hours: null,
    urgent_passes: true,
    muted_until: null,
    late: { policy: "deliver", after: "PT6H" },
    channels: [{ type: "in-app" }],
  });
  const { quiet_hours } = preferencesInput.parse({ quiet_hours: { from: "22:00", to: "07:00" } });
  expect(quiet_hours?.days).toEqual(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]);
});

test("preferences read as what they were stored as", () => {
  const said = preferencesInput.parse({
    tz: "europe/berlin",
    default_reminders: ["pt90m"],
    quiet_hours: { from: "22:00", to: "07:00", days: ["SU", "MO"] },
    muted_until: "2026-03-01T10:00:00+01:00",
    channels: [{ ...webhook, else: { type: "email", to: "ada@example.org", else: { type: "log" } } }],
  });
  expect(said).toMatchObject({ tz: "Europe/Berlin", muted_until: "2026-03-01T09:00:00.000Z" });
  expect(storedPreferences(JSON.parse(JSON.stringify(said)))).toEqual(said);
});

test("what is stored and cannot be read takes its default, field by field", () => {
  const stored = { tz: "Mars/Olympus", all_day_at: "08:00", channels: [{ type: "pigeon" }], of_a_newer_build: true };
  expect(storedPreferences(stored)).toEqual({ ...defaultPreferences, all_day_at: "08:00" });
  for (const nothing of [null, "", 7, [1]]) expect(storedPreferences(nothing)).toEqual(defaultPreferences);
});

test("whatever is taken can be stored and read back, at the ends of time too", () => {
  for (const muted_until of ["2199-12-31T23:59:59.999Z", "1970-01-01T00:00:00+00:00", "2026-03-01T10:00:00+14:00"]) {
    const taken = preferencesInput.parse({ muted_until });
    expect(preferencesInput.parse(JSON.parse(JSON.stringify(taken)))).toEqual(taken);
  }
});

test.each<[string, object, string]>([
  ["a mute beyond the calendar", { muted_until: "9999-12-31T23:59:59-14:00" }, "muted_until"],
  ["a mute before it", { muted_until: "0000-01-01T00:00:00+14:00" }, "muted_until"],
  ["an unknown field", { timezone: "UTC" }, ""],
  ["an offset for a zone", { tz: "+01:00" }, "tz"],
  ["a time that is none", { all_day_at: "9:00" }, "all_day_at"],
  ["quiet hours without an end", { quiet_hours: { from: "22:00", to: "22:00" } }, "quiet_hours.to"],
  ["a reminder that is none", { default_reminders: ["P1M"] }, "default_reminders.0"],
  ["a span of months", { late: { after: "P1M" } }, "late.after"],
  ["a secret of another kind", { channels: [{ ...webhook, secret: "hunter2" }] }, "channels.0.secret"],
  ["an address that is too long", { channels: [{ type: "email", to: `${"a.".repeat(200)}a@b.cd` }] }, "channels.0.to"],
  ["a webhook to a file", { channels: [{ ...webhook, url: "file:///etc/passwd" }] }, "channels.0.url"],
  ["an address that is none", { channels: [{ type: "email", to: "ada" }] }, "channels.0.to"],
  [
    "a chain of four",
    { channels: [{ ...webhook, else: { ...webhook, else: { ...webhook, else: { type: "log" } } } }] },
    "channels.0.else.else",
  ],
])("refuses %s", (_what, body, path) => {
  expect(preferencesInput.safeParse(body).error?.issues.map((issue) => issue.path.join("."))).toEqual([path]);
});

test.each([
  [24, true],
  [64, true],
  [23, false],
  [65, false],
])("a secret of %i bytes is one: %p", (bytes, isOne) => {
  for (let n = 0; n < 20; n++) {
    const random = crypto.getRandomValues(new Uint8Array(bytes));
    expect(isWebhookSecret(`whsec_${Buffer.from(random).toString("base64")}`)).toBe(isOne);
  }
});

test("of every length with every padding only what decodes to whole bytes is a secret", () => {
  // A group of four characters is three bytes; the last one may be padded to two or one.
  const decodes = (length: number, padding: number) => (length + padding) % 4 === 0 && padding < 3 && length % 4 !== 1;
  for (let length = 30; length <= 90; length++)
    for (let padding = 0; padding <= 3; padding++) {
      const bytes = Math.floor((length * 3) / 4);
      const text = `whsec_${"A".repeat(length)}${"=".repeat(padding)}`;
      expect([text, isWebhookSecret(text)]).toEqual([text, decodes(length, padding) && bytes >= 24 && bytes <= 64]);
    }
});

test.each([
  ["no prefix", "A".repeat(32)],
  ["nothing", "whsec_"],
  ["33 characters, which are no bytes", `whsec_${"A".repeat(33)}`],
  ["no padding", `whsec_${"A".repeat(34)}`],
  ["too much padding", `whsec_${"A".repeat(35)}==`],
  ["bits left over", `whsec_${"A".repeat(34)}B==`.replace("AB==", "B==")],
  ["the alphabet of URLs", `whsec_${"-_".repeat(16)}`],
])("a secret with %s is none", (_what, text) => expect(isWebhookSecret(text)).toBe(false));

test("an address of a megabyte is refused by its length alone", () => {
  const read = preferencesInput.safeParse({ channels: [{ type: "email", to: `${"a.".repeat(600_000)}!` }] });
  expect(read.error?.issues.map(({ code }) => code)).toEqual(["too_big"]);
});

test.each<[string, number | null]>([
  ["PT6H", 6 * 3_600_000],
  ["P1DT30M", 24 * 3_600_000 + 1_800_000],
  ["PT0S", 0],
  ["P31D", null],
  ["P", null],
  ["6h", null],
])("the span %p is %p ms", (text, ms) => expect(spanMs(text)).toBe(ms));
