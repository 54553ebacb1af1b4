import { makeLog, type Level, type Log } from "./log.ts";
import { makeMetrics, type Metrics } from "./metrics.ts";
import {
  examineConfig,
  integer,
  oneOf,
  optional,
  optionalInteger,
  text,
  type Config,
  type Settings,
} from "./config.ts";
import { useDigests } from "../digest.ts";
import { earlySignals } from "./early-signals.ts";
import { openRoleServer, type Fetch, type RoleServer, type ListenAddresses } from "../http/role-server.ts";
import { nativeDigests } from "../native-digests.ts";
import { makeOutages, type TellOutage } from "./outages.ts";
import { Problem } from "../problem.ts";
import { makeRoleClock, type RoleClock } from "./role-clock.ts";
import { metricsPortBeside, rolePorts } from "./role-ports.ts";
import type { RoleName } from "../messages/topics.ts";
import { startZones, zoneSetting } from "../zones/zone-setting.ts";

/** What every role gets: its name, when to stop, where to tell. */
export type Role = Readonly<{
  name: RoleName;
  /** Aborted at SIGTERM or SIGINT: finish what runs, take nothing new, settle. */
  signal: AbortSignal;
  log: Log;
  metrics: Metrics;
  /**
   * The database's clock, once `openDb` was given `clock`; it throws before. The process's own clock decides nothing.
   */
  now: () => Date;
  clock: RoleClock;
  /** Adds a condition of `/readyz`; it answers 503 naming the checks that say false. */
  readyWhen: (name: string, check: () => boolean) => void;
  /**
   * Adds a line to the answer of a ready `/readyz` while it is not null: what a person should know and no balancer act
   * upon.
   */
  note: (name: string, text: () => string | null) => void;
  /** Adds a condition of `/healthz`: false means this process cannot mend itself and should be restarted. */
  healthyWhile: (name: string, check: () => boolean) => void;
  /**
   * Says what a part of the role (a group, a loop) waits for, by how it failed, and with `null` that it goes on.
   * `/readyz` tells it, and the metric `dependency_down`; the role stays ready, because what it can do without goes on.
   */
  tellOutage: TellOutage;
  /**
   * Answers what is not `/healthz`, `/readyz` or `/metrics`. Call it once. Settles after a stop, when every running
   * request has its answer, or DRAIN_SECONDS are nearly over: await it beside the other work, and dispose of what
   * requests use after that.
   */
  serve: (fetch: Fetch) => Promise<void>;
}>;

const roleSettings = (name: RoleName) => ({
  host: text("HOST", "127.0.0.1"),
  /** 0 is any free one; the log says which. */
  port: integer("PORT", rolePorts[name], { min: 0, max: 65_535 }),
  /** Where probes and metrics are told in full; 0 is any free one. */
  metricsPort: optionalInteger("METRICS_PORT", { min: 0, max: 65_535 }),
  /** Where that port is; unset, at HOST. */
  metricsHost: optional("METRICS_HOST"),
  logLevel: oneOf<Level>("LOG_LEVEL", ["debug", "info", "warn", "error"], "info"),
  instance: text("ROLE_INSTANCE", "1"),
  drainSeconds: integer("DRAIN_SECONDS", 12, { min: 1, max: 300 }),
  zones: zoneSetting,
});

/**
 * Reads `settings` and the runner's own from the environment, in one round of complaints, and runs a role until SIGTERM
 * or SIGINT: listens for probes and metrics at once, is ready when every check of `readyWhen` says so. Exit code 0
 * after a clean stop, 1 when the configuration is wrong, nothing can listen, `start` rejects, an exception is uncaught
 * or the drain takes longer than DRAIN_SECONDS; a second signal exits at once with 130. Told to stop before it was
 * called, it begins nothing. Nothing else in the product touches `process`, but for `catch-signals.ts`.
 */
export async function runRole<const S extends Settings>(
  name: RoleName,
  settings: S,
  start: (role: Role, config: Config<S>) => Promise<void>,
): Promise<void> {
  const { runner: config, own } = readRoleConfig(name, settings);
  useDigests(nativeDigests);
  const log = makeLog({ role: name, instance: config.instance }, config.logLevel);
  const metrics = makeMetrics(name);
  const clock = makeRoleClock({ log, metrics });
  const zones = startZones(config.zones, { log, metrics, now: clock.now });
  const stop = new AbortController();
  const outages = makeOutages(metrics);
  const ready = new Map<string, () => boolean>();
  const healthy = new Map<string, () => boolean>();
  const notes = new Map<string, () => string | null>();
  let started = false;
  const passing = metrics.gauge("role_check_passing", "1 while a condition of /readyz or /healthz holds", [
    "probe",
    "check",
  ]);
  const measure = () => {
    if (clock.isKnown()) zones.measure();
    for (const [probe, checks] of Object.entries({ ready, healthy }))
      for (const [check, passes] of checks) passing.set({ probe, check }, passes() ? 1 : 0);
  };
  // Until the role serves, nobody can say what is not found: callers are told to come again.
  let app: Fetch = () => {
    const code = started && failing(ready).length === 0 ? "NOT_FOUND" : "UNAVAILABLE";
    throw new Problem(code, undefined, code === "UNAVAILABLE" ? { retryAfterSeconds: 1 } : {});
  };

  const exit = (code: number, reason: string, error?: unknown): never => {
    if (code === 0) log.info(reason);
    else log.error(reason, { error });
    process.exit(code);
  };
  // Library sockets throw where no caller can catch; the process ends and its supervisor starts a new one.
  process.on("uncaughtException", (error) => exit(1, "uncaught_exception", error));
  process.on("unhandledRejection", (error) => exit(1, "unhandled_rejection", error));
  if (earlySignals.length > 0) exit(0, "stopped");
  for (const name of ["SIGTERM", "SIGINT"] as const)
    process.on(name, () => {
      if (stop.signal.aborted) exit(130, "second_signal");
      log.info("stopping", { signal: name });
      stop.abort();
      setTimeout(() => exit(1, "drain_too_slow"), config.drainSeconds * 1000).unref();
    });

  let server: RoleServer;
  try {
    server = await openRoleServer(
      { hostname: config.host, port: config.port, metrics: metricsPlace(name, config) },
      {
        answer: (request, peer) => app(request, peer),
        probes: {
          unhealthy: () => failing(healthy),
          unready: () => (stop.signal.aborted ? ["stop"] : failing(ready)),
          waiting: outages.waiting,
          notes: () => [...notes].flatMap(([note, text]) => (text() === null ? [] : [`${note}: ${text()}`])),
        },
        log,
        metrics: { ...metrics, text: () => (measure(), metrics.text()) },
      },
    );
  } catch (error) {
    // Mostly a port that is taken; Bun's message names it.
    return exit(1, "cannot_listen", error);
  }
  const drained = new Promise<void>((resolve) =>
    stop.signal.addEventListener("abort", () => {
      void server.drain().then(resolve);
      // A client that never ends its request must not keep what others wait for from being finished in order.
      setTimeout(resolve, config.drainSeconds * 1000 * 0.75).unref();
    }),
  );

  log.info("starting", {
    url: server.url.href,
    metricsUrl: server.metricsUrl.href,
    pid: process.pid,
    ...zones.told,
  });
  ready.set("started", () => started);
  try {
    await start(
      {
        name,
        signal: stop.signal,
        log,
        metrics,
        now: clock.now,
        clock,
        readyWhen: (check, passes) => {
          ready.set(check, passes);
          started = true;
        },
        note: (note, text) => notes.set(note, text),
        healthyWhile: (check, passes) => healthy.set(check, passes),
        tellOutage: outages.tell,
        serve: (fetch) => {
          app = fetch;
          started = true;
          return drained;
        },
      },
      own,
    );
    if (!stop.signal.aborted) exit(1, "ended_without_being_asked");
    await server.close();
  } catch (error) {
    // A role that is told to stop while it starts may give up with the signal's reason.
    if (!stop.signal.aborted || error !== stop.signal.reason) exit(1, "failed", error);
  }
  exit(0, "stopped");
}

function metricsPlace(name: RoleName, config: Config<ReturnType<typeof roleSettings>>): ListenAddresses["metrics"] {
  const port = metricsPortOf(name, config);
  return port === null ? null : { hostname: config.metricsHost ?? config.host, port };
}

/**
 * `null` for one port for all. The gateway's is public, so what it tells of itself is elsewhere unless that is wanted.
 */
function metricsPortOf(
  name: RoleName,
  { port, metricsPort }: Readonly<{ port: number; metricsPort: number | null }>,
): number | null {
  if (metricsPort !== null) return metricsPort === port && port !== 0 ? null : metricsPort;
  return name === "ui-gateway" ? metricsPortBeside(port) : null;
}

/** Ends the process, telling programs in a line of the log and people on standard error, when anything is wrong. */
function readRoleConfig<const S extends Settings>(name: RoleName, settings: S) {
  const runner = examineConfig(roleSettings(name), process.env);
  const own = examineConfig(settings, process.env);
  if ("config" in runner && "config" in own) return { runner: runner.config, own: own.config };
  const complaints = [runner, own].flatMap((part) => ("complaints" in part ? part.complaints : []));
  makeLog({ role: name }).error("configuration_wrong", { complaints });
  process.stderr.write(`${name} does not start, its configuration is wrong:\n  ${complaints.join("\n  ")}\n`);
  process.exit(1);
}

function failing(checks: ReadonlyMap<string, () => boolean>): readonly string[] {
  return [...checks].filter(([, passes]) => !passes()).map(([name]) => name);
}
