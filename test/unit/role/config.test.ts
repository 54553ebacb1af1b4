import { expect, test } from "bun:test";
import {
  brokerList,
  checked,
  flag,
  integer,
  oneOf,
  optional,
  optionalOneOf,
  optionalUrl,
  readConfig,
  settingNames,
  text,
  url,
  urlList,
} from "../../../shared/role/config.ts";

const settings = {
  url: text("URL"),
  port: integer("PORT", 8080, { min: 0, max: 65_535 }),
  kafka: { brokers: brokerList("BROKERS"), acks: oneOf("ACKS", ["all", "one"], "all") },
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

test("a rule between settings is told in the same error, and knows what was complained about already", () => {
  const group = checked(
    { mode: oneOf("MODE", ["open", "closed"]), key: optional("KEY"), size: integer("SIZE", 1, { min: 1, max: 9 }) },
    ({ mode, key, size }) =>
      mode === "closed" && key === null ? [`KEY is not set: MODE=closed needs it, for ${size}`] : [],
  );
  const complaints = (env: Record<string, string>) => () => readConfig({ lock: { ...group }, port: text("PORT") }, env);
  expect(complaints({ MODE: "closed", SIZE: "many" })).toThrow(
    [
      "configuration:",
      '  SIZE must be a whole number from 1 to 9, not "many"',
      "  KEY is not set: MODE=closed needs it, for undefined",
      "  PORT is not set",
    ].join("\n"),
  );
  expect(complaints({ MODE: "open", PORT: "1" })()).toEqual({ lock: { mode: "open", key: null, size: 1 }, port: "1" });
  expect(settingNames({ group })).toEqual(["MODE", "KEY", "SIZE"]);
});

test.each([
  ["postgres://u:p@h:5432/d?x=1", true],
  ["postgresql://h/d", true],
  ["postgres://u:p,w@a:5432,b:5433/d", true],
  ["postgres://u@%2Fvar%2Frun/d", true],
  ["xyz", false],
  ["postgres://", true], // everything from PGHOST and its like
  ["postgres://u:pass:word@h:1:2/d", false],
  ["http://h/d", false],
])("%s is a URL of Postgres: %p", (value, good) => {
  const read = () => readConfig({ url: url("DB", ["postgres", "postgresql"]) }, { DB: value });
  if (good) expect(read()).toEqual({ url: value });
  else expect(read).toThrow("DB must be a URL beginning with postgres:// or postgresql://");
});

test("a complaint about a URL does not tell it, since it may hold a password", () => {
  const read = () => readConfig({ url: url("DB", ["postgres"]) }, { DB: "mysql://u:hunter2@h/d" });
  expect(read).toThrow("DB must be");
  expect(read).not.toThrow("hunter2");
});

test.each([
  ["a:9092,[::1]:9093, kafka-0.example.org:65535", true],
  ["nonsense", false],
  ["a:9092,b", false],
  ["a:0", false],
  ["a:65536", false],
  ["http://a:9092", false],
  [",", false],
])("%s is a list of brokers: %p", (value, good) => {
  const read = () => readConfig({ brokers: brokerList("BROKERS") }, { BROKERS: value });
  if (good) expect(read().brokers.length).toBe(3);
  else expect(read).toThrow("configuration:\n  BROKERS ");
});

test("what may be missing is null, and checked where it is given", () => {
  const may = { at: optionalUrl("AT", ["http"]), how: optionalOneOf("HOW", ["a", "b"]) };
  expect(readConfig(may, {})).toEqual({ at: null, how: null });
  expect(readConfig(may, { AT: "http://h", HOW: "b" })).toEqual({ at: "http://h", how: "b" });
  expect(() => readConfig(may, { AT: "h", HOW: "c" })).toThrow(
    'AT must be a URL beginning with http://\n  HOW must be one of a, b, not "c"',
  );
});

test("every one of several URLs is checked", () => {
  const several = { urls: urlList("URLS", ["http", "https"], "http://h:1") };
  expect(readConfig(several, {})).toEqual({ urls: ["http://h:1"] });
  expect(readConfig(several, { URLS: "http://a, https://b," })).toEqual({ urls: ["http://a", "https://b"] });
  expect(() => readConfig(several, { URLS: "http://a,b:1" })).toThrow("URLS must be a URL");
});

test("a configuration cannot be changed after it was read", () => {
  const config = readConfig(settings, { URL: "x", BROKERS: "a:1" });
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.kafka)).toBe(true);
});

test("the names of all settings are listed, groups included", () => {
  expect(settingNames(settings)).toEqual(["URL", "PORT", "BROKERS", "ACKS", "SECRET", "VERBOSE"]);
});
