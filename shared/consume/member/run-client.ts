import { isDatabaseChange } from "../../postgres/database-change.ts";
import { noteHistory } from "../../postgres/database-history.ts";
import type { Role } from "../../role/role.ts";
import type { ConsumeOptions } from "../consume-options.ts";
import type { HandlingContext } from "../handling.ts";
import { makeDoubts } from "../log/doubts.ts";
import { makePositions } from "../log/positions.ts";
import type { Consumer } from "../open-consumer.ts";
import { laneCount } from "./lanes.ts";
import { makeLane } from "./make-lane.ts";
import { runSession } from "./run-session.ts";
import type { Session, SessionEnd, Timing } from "./session.ts";

type RunClient = Readonly<{
  options: ConsumeOptions;
  role: Pick<Role, "tellOutage">;
  consumer: Consumer;
  handling: HandlingContext;
  timing: Timing;
}>;

/** One client of a consumer, with lanes and positions of its own. */
export function runClient(
  { options, role, consumer, handling, timing }: RunClient,
  wasSkipped: Session["wasSkipped"],
): Promise<SessionEnd> {
  const { broker, db, topics, group } = options;
  const { state, log, meters, dependency, flood, controls, standing, wake, stop } = consumer;
  // Of the database the positions of this client were compared with.
  let life: string | null = null;
  /**
   * Does not delay the work: clients with a stream are told to read again, and versions go on above those that were
   * published.
   */
  const noteDatabase = (evidence: "effects" | "events" | null) =>
    void dependency
      .await(() => noteHistory(db, evidence))
      .then(({ began, ...history }) => (began ? log.error("database_history_begins", history) : undefined))
      .catch((error: unknown) => log.warn("database_history_not_noted", { error }));
  const positions = makePositions({ db, admin: broker.admin, group, epoch: handling.epoch });
  const doubts = makeDoubts({ log, meters, wentBack: noteDatabase });
  const lanes = Array.from({ length: options.lanes ?? laneCount }, () =>
    makeLane({ ...handling, life: () => life }, doubts.settled),
  );
  return runSession({
    broker,
    group,
    topics,
    meters,
    log,
    work: async (items, at, end) => {
      await controls.open();
      const fatal = (error: unknown) =>
        end(isDatabaseChange(error) ? { kind: "database_changed" } : { kind: "fatal", error });
      if (!stop.aborted) await lanes[at]?.work(items, fatal);
    },
    positions: {
      ...positions,
      compare: (partitions) => dependency.await(() => positions.compare(partitions)),
      // No new client could store it either.
      store: (of, due) => dependency.await(() => positions.store(of, due)),
    },
    onCompared: (compared) => {
      if (life === null) noteDatabase(null);
      life = compared.life;
      doubts.about(compared.doubted);
    },
    isWaiting: () => dependency.isWaiting() || controls.isPaused() || flood.held() > 0,
    isLaneWaiting: (at) => controls.isPaused() || (at !== null && lanes[at]?.isWaiting() === true),
    tries: (at) => lanes[at]?.tries() ?? 0,
    wasSkipped,
    standing,
    toldToLook: (look) => (state.lookAtLogs = look),
    onJoined: () => {
      state.hasJoined = true;
      role.tellOutage(`client ${group}`, null);
    },
    onOwned: (partitions) => {
      state.owned = partitions;
      wake.now();
    },
    stop,
    cutOff: consumer.cutOff,
    timing,
    lanes: lanes.length,
  });
}
