import { expect, test } from "bun:test";
import { flag, integer, list, oneOf, optional, readConfig, settingNames, text } from "../../shared/config.ts";

const settings = {
  url: text("URL"),
  port: integer("PORT", 8080, { min: 0, max: 65_535 }),
  kafka: { brokers: list("BROKERS"), acks: oneOf("ACKS", ["all", "one"], "all") },
  secret: optional("SECRET"),
  verbose: flag("VERBOSE", false),
};

test("a configuration is read into the shape of its settings", () => {
  expect(readConfig(settings, { URL: "x", BROKERS: "a:1, b:2,", VERBOSE: "1", PORT: "" })).toEqual({
    url: "x",
    port: 8080,
    kafka: { brokers: ["a:1", "b:2"], acks: "all" },
    secret: null,
    verbose: true,
  });
});

test("all complaints come in one error, each naming its variable", () => {
  expect(() => readConfig(settings, { PORT: "99999", ACKS: "none", VERBOSE: "maybe" })).toThrow(
    [
      "configuration:",
      "  URL is not set",
      '  PORT must be a whole number from 0 to 65535, not "99999"',
      "  BROKERS is not set",
      '  ACKS must be one of all, one, not "none"',
      '  VERBOSE must be true or false, not "maybe"',
    ].join("\n"),
  );
});

test("a configuration cannot be changed after it was read", () => {
  const config = readConfig(settings, { URL: "x", BROKERS: "a:1" });
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.kafka)).toBe(true);
});

test("the names of all settings are listed, groups included", () => {
  expect(settingNames(settings)).toEqual(["URL", "PORT", "BROKERS", "ACKS", "SECRET", "VERBOSE"]);
});
