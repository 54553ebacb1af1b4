// Preloaded into a process whose clock is to be wrong: `BUN_OPTIONS="--preload …/hour-ahead.ts"`. Timers and performance.now()
// run as ever, as they do on a machine whose clock was set wrongly.
const real = Date;
const ahead = () => real.now() + 3_600_000;

globalThis.Date = new Proxy(real, {
  construct: (target, given, self) => Reflect.construct(target, given.length === 0 ? [ahead()] : given, self),
  get: (target, name) => (name === "now" ? ahead : Reflect.get(target, name)),
});
