// `node --import ./test/node/register.ts FILE`: runs a test file under Node, with node:test in the place of bun:test.
import { registerHooks } from "node:module";

const inItsPlace = new URL("bun-test.ts", import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) => next(specifier === "bun:test" ? inItsPlace : specifier, context),
});
