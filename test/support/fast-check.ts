// fast-check with one seed, so that two runs say the same about the same code. `test:long` draws a new one each time,
// TEST_SEED=<number> names one, and a failure tells the seed and the path to it.
import { configureGlobal } from "fast-check";

const { TEST_SEED: named, LONG_TESTS: long } = process.env;
if (named !== undefined) configureGlobal({ seed: Number(named) });
else if (long !== "1") configureGlobal({ seed: 1 });

export * from "fast-check";
