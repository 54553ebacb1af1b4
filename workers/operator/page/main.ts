import { forgetToken, get, hasToken, keepToken, statusOf } from "./api.ts";
import { byId, element } from "./element.ts";
import type { Change, Group, Kind, Outbox, Parked } from "./shapes.ts";
import { showDeadLetters } from "./show-dead-letters.ts";
import { showGroups } from "./show-groups.ts";
import { showOutbox } from "./show-outbox.ts";
import { showParked } from "./show-parked.ts";
import { draw, table } from "./table.ts";
import { openTail } from "./tail.ts";
import { moment, seconds } from "./words.ts";

const everyMs = 3000;
let round = 0;

/** Reads everything and draws what changed, again and again; a look asked for meanwhile replaces the one that is under way. */
async function refresh(): Promise<void> {
  const mine = ++round;
  if (!hasToken()) return welcome();
  try {
    const [{ groups }, { groups: kinds }, { parked }, outbox, { entries }, { topics }] = await Promise.all([
      get<{ groups: readonly Group[] }>("/api/groups"),
      get<{ groups: readonly Kind[] }>("/api/dead-letters/groups"),
      get<{ parked: readonly Parked[] }>("/api/parked"),
      get<Outbox>("/api/outbox"),
      get<{ entries: readonly Change[] }>("/api/audit?limit=20"),
      get<{ topics: readonly Readonly<{ name: string }>[] }>("/api/topics"),
    ]);
    if (mine !== round) return;
    const again = () => void refresh();
    draw(byId("tiles"), [groups, outbox.waiting], () => tiles(groups, outbox));
    draw(byId("groups"), groups, () => showGroups(groups, again));
    draw(byId("dead"), kinds, () => showDeadLetters(kinds, again));
    draw(byId("parked"), parked, () => showParked(parked, again));
    draw(byId("outbox"), outbox, () => showOutbox(outbox, again));
    draw(byId("audit"), entries, () => showAudit(entries));
    openTail(
      topics.map(({ name }) => name),
      showError,
    );
    byId("welcome").hidden = true;
    byId("board").hidden = false;
    byId("forget").hidden = false;
    byId("error").hidden = true;
    tellState(true, `As of ${new Date().toLocaleTimeString()}`);
  } catch (error) {
    if (mine !== round) return;
    const status = statusOf(error);
    if (status === 401 || status === 403) {
      forgetToken();
      welcome();
    } else tellState(false, "Not reached");
    showError(error);
  }
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

function tiles(groups: readonly Group[], outbox: Outbox): Node {
  const sum = (of: (group: Group) => number) => groups.reduce((total, group) => total + of(group), 0);
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

function showAudit(entries: readonly Change[]): Node {
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
