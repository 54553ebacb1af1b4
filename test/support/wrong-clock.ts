// Preloaded into a process whose clock is to be wrong: see `wrongClock` of wrong-clock-env.ts. Timers and
// performance.now() run as ever, as they do on a machine whose clock was set wrongly.
const real = Date;
const shifted = () => real.now() + Number(process.env["CLOCK_AHEAD_MS"] ?? 3_600_000);

globalThis.Date = new Proxy(real, {
  construct: (target, given, self) => Reflect.construct(target, given.length === 0 ? [shifted()] : given, self),
  get: (target, name) => (name === "now" ? shifted : Reflect.get(target, name)),
});
