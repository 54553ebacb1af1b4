import { call, forgetToken, hasToken, keepToken, statusOf } from "./api.ts";
import { byId, element } from "../../../shared/page/element.ts";
import type { RouteAnswer, RouteInput, AuditEntryJson, GroupJson, Outbox, Route } from "./shapes.ts";
import { showDeadLetters } from "./show-dead-letters.ts";
import { showGroups } from "./show-groups.ts";
import { showOutbox } from "./show-outbox.ts";
import { showParked } from "./show-parked.ts";
import { draw, table } from "./table.ts";
import { openTail } from "./tail.ts";
import { counted, moment, seconds } from "./words.ts";

const everyMs = 3000;
let round = 0;
let topicsKnown = false;

/**
 * Reads every part and draws what changed, again and again. Each part on its own: with Kafka down its groups are not
 * told, and what they gave up on still is. A look asked for meanwhile replaces the one that is under way.
 */
async function refresh(): Promise<void> {
  const mine = ++round;
  if (!hasToken()) return welcome();
  const again = () => void refresh();
  const known: { groups?: readonly GroupJson[]; outbox?: Outbox } = {};
  const part = async <R extends Route>(
    route: R,
    asked: RouteInput<R>,
    show: (answer: RouteAnswer<R>) => void,
  ): Promise<void> => {
    const answer = await call(route, asked);
    if (mine !== round) return;
    for (const [id, hidden] of [
      ["welcome", true],
      ["board", false],
      ["forget", false],
    ] as const)
      byId(id).hidden = hidden;
    show(answer);
    const { groups, outbox } = known;
    if (groups && outbox) draw(byId("tiles"), [groups, outbox.waiting, outbox.holds], () => tiles(groups, outbox));
  };
  const parts = await Promise.allSettled([
    part("GET /api/groups", {}, ({ groups }) => {
      known.groups = groups;
      draw(byId("groups"), groups, () => showGroups(groups, again));
    }),
    part("GET /api/dead-letters/groups", {}, ({ groups }) =>
      draw(byId("dead"), groups, () => showDeadLetters(groups, again)),
    ),
    part("GET /api/parked", {}, ({ parked }) => draw(byId("parked"), parked, () => showParked(parked, again))),
    part("GET /api/outbox", {}, (outbox) => {
      known.outbox = outbox;
      draw(byId("outbox"), outbox, () => showOutbox(outbox, again));
    }),
    part("GET /api/audit", { limit: "20" }, ({ entries }) => draw(byId("audit"), entries, () => showAudit(entries))),
    topicsKnown
      ? Promise.resolve()
      : part("GET /api/topics", {}, ({ topics }) => {
          topicsKnown = true;
          openTail(
            topics.map(({ name }) => name),
            showError,
          );
        }),
  ]);
  if (mine !== round) return;
  const failed = parts.filter((one) => one.status === "rejected").map(({ reason }): unknown => reason);
  const refusal = failed.find((error) => statusOf(error) === 401 || statusOf(error) === 403);
  if (refusal !== undefined) {
    forgetToken();
    welcome();
    return showError(refusal);
  }
  byId("error").hidden = failed.length === 0;
  if (failed.length > 0) showError(failed[0]);
  const time = new Date().toLocaleTimeString();
  tellState(
    failed.length === 0,
    failed.length === 0 ? `As of ${time}` : `${counted(failed.length, "part")} not read at ${time}`,
  );
  setTimeout(() => void (mine === round && refresh()), everyMs);
}

function welcome(): void {
  byId("board").hidden = true;
  byId("forget").hidden = true;
  byId("state").hidden = true;
  byId("welcome").hidden = false;
}

function tellState(live: boolean, text: string): void {
  const state = byId("state");
  state.hidden = false;
  state.classList.toggle("live", live);
  state.textContent = text;
}

function showError(error: unknown): void {
  const place = byId("error");
  place.textContent = error instanceof Error ? error.message : String(error);
  place.hidden = false;
}

function tiles(groups: readonly GroupJson[], outbox: Outbox): Node {
  const sum = (of: (group: GroupJson) => number) => groups.reduce((total, group) => total + of(group), 0);
  const blocked = groups.filter((group) => group.blocked !== null).length;
  const oldest = Math.max(0, ...groups.map(({ lagSeconds }) => lagSeconds));
  const tile = (value: number, label: string, kind: "" | "warn" | "late") =>
    element("li", { class: value === 0 ? "" : kind }, element("strong", {}, value.toLocaleString()), label);
  const parts = document.createDocumentFragment();
  parts.append(
    tile(
      sum(({ lagMessages }) => lagMessages),
      oldest > 1 ? `messages not handled, the oldest for ${seconds(oldest)}` : "messages not handled",
      "warn",
    ),
    tile(blocked, "groups blocked", "late"),
    tile(
      sum(({ parkedKeys }) => parkedKeys),
      "keys parked",
      "warn",
    ),
    tile(
      sum(({ dead }) => dead),
      "dead letters",
      "late",
    ),
    tile(outbox.waiting, "waiting in the outbox", "warn"),
    tile(outbox.holds.length, "keys held", "late"),
  );
  return parts;
}

function showAudit(entries: readonly AuditEntryJson[]): Node {
  const rows = entries.map((one) => [
    moment(one.at),
    `${one.who} (${one.via})`,
    one.action,
    one.state,
    one.reason ?? "-",
  ]);
  const columns = [
    { title: "When" },
    { title: "Who" },
    { title: "What" },
    { title: "State" },
    { title: "Why", kind: "text" },
  ] as const;
  return table("What operators changed", columns, rows, "Nothing yet.");
}

byId<HTMLFormElement>("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(byId<HTMLFormElement>("sign-in"));
  keepToken(String(form.get("token")), String(form.get("name")));
  byId<HTMLFormElement>("sign-in").reset();
  byId("error").hidden = true;
  void refresh();
});
byId("forget").addEventListener("click", () => {
  forgetToken();
  location.reload();
});
void refresh();
