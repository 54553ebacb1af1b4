// As much of bun:test as the test files use that run under Node as well.
import { after, afterEach, before, beforeEach, describe as suite, test as one } from "node:test";
import { expect } from "expect";

expect.extend({
  toBeTrue: (found: unknown) => ({ pass: found === true, message: () => `expected true, found ${String(found)}` }),
  toBeFalse: (found: unknown) => ({ pass: found === false, message: () => `expected false, found ${String(found)}` }),
});
export { expect, after as afterAll, before as beforeAll, afterEach, beforeEach };

let timeout = 30_000;
export function setDefaultTimeout(ms: number): void {
  timeout = ms;
}

type Body = (...given: readonly never[]) => void | Promise<void>;
type Each = (rows: readonly unknown[]) => (title: string, body: Body) => void;

const each =
  (run: (title: string, body: () => void | Promise<void>) => void): Each =>
  (rows) =>
  (title, body) => {
    for (const row of rows) {
      const given = Array.isArray(row) ? row : [row];
      let next = 0;
      const named = title.replaceAll(/%[spdij]/g, () => String(given[next++]));
      // What a row holds is what the body takes: bun:test's types see to that.
      run(named, () => body(...(given as never[])));
    }
  };

const runTest = (title: string, body: Body, ms = timeout) => void one(title, { timeout: ms }, () => body());
const runSuite = (title: string, body: () => void) => void suite(title, body);
export const test = Object.assign(runTest, { each: each(runTest), skip: () => {} });
export const describe = Object.assign(runSuite, { each: each((title, body) => runSuite(title, () => void body())) });
