import type { TopicPartition } from "../../../shared/messages/broker.ts";
import { redriveDead } from "../../../shared/consume/dead-letters/redrive-dead.ts";
import type { TopicName } from "../../../shared/messages/topics.ts";
import { group, type ConsumerWorld } from "../consumer-world.ts";
import type { Misbehaviour } from "../fake-broker.ts";
import { mortal } from "../mortal.ts";
import { until } from "../until.ts";
import { makeFailing, nameOf } from "./failing.ts";
import { beginAnew, epochOf, hasBegun, holdLateCommits, isStored, topics, waitingKeys } from "./group-state.ts";
import { makeHandlers, makeHandlerTables } from "./handlers.ts";
import { isStanding, loseEnd, loseStart, type Loss } from "./log-loss.ts";
import { makeMembers } from "./members.ts";
import { dropOldWeek, oldTime } from "./old-weeks.ts";
import { makePast } from "./past.ts";
import { planRun, partitions, rounds, type Fate } from "./plan.ts";

type Run = Readonly<{
  seed: number;
  random: () => number;
  fate: Fate;
  misbehaviour: Partial<Misbehaviour>;
  patienceMs: number;
}>;

const keys = Array.from({ length: 10 }, (_, n) => `k${n}`);

/**
 * Three members and their successors handle what is sent meanwhile to two topics; some messages always fail, some for a
 * while. Members leave, are killed between any two statements, or go on after their group went on without them; dead
 * letters are brought back. Some records cannot be read, for a while or ever; now and then Postgres takes no writes of
 * handlers although it answers; a queue grows beyond one page; batches lock rows crosswise; topics get more partitions.
 * And once in a run, by its seed, the group is begun anew while zombies of it still work, the database goes back to
 * what it was some rounds ago, a log loses records, or a week of the inbox ends.
 */
export async function runWorld(world: ConsumerWorld, run: Run) {
  const { random, fate, seed } = run;
  const plan = planRun(run);
  await makeHandlerTables(world.db);
  const failing = makeFailing(random);
  world.setUnreadable((key, n, topic) => failing.reading(nameOf({ topic, key, n })));
  const crossed = new Set<string>();
  const brought = new Set<string>();
  const early: string[] = [];
  const past = makePast(world.db);
  let life = 0;
  /** Nobody is killed, and nobody leaves. */
  let isCalm = false;
  const counts = new Map<string, number>();
  /** Names of what was sent, by message id; those of `old` are of a week that ends. */
  const sent = new Map<string, string>();
  const old = new Set<string>();
  const members = makeMembers(
    world,
    { random, mayBeKilled: () => fate.kills && !isCalm },
    (member) => makeHandlers({ random, failing, crossed }, member),
    { tell: (what) => early.push(what), life: () => life, mayForget: (id) => old.has(id) },
  );

  let copy: Awaited<ReturnType<typeof past.copy>> | null = null;
  let loss: Loss | null = null;
  for (let round = 0; round < rounds; round++) {
    members.staff();
    // A rebalance would bring the added partitions by itself.
    if (round === plan.growAt && round === rounds - 1) await calmDown();
    if (round === plan.growAt) for (const topic of topics) world.fake?.addPartitions(topic, partitions + 2);
    if (round === plan.calmAt) await calmDown();
    await sendRound(round);
    if (round === plan.calmAt) await until("all is read", () => world.caughtUp(), { timeoutMs: run.patienceMs });
    if (round === plan.loseStartAt || round === plan.copyAt)
      await until("the group has begun", () => hasBegun(world), { timeoutMs: run.patienceMs });
    if (round === plan.loseStartAt) loss = loseStart(world, somewhere(), random);
    await Bun.sleep(random() * 30); // spreads the records over the rebalances
    if (round === plan.loseEndAt) loss = loseEnd(world, somewhere(), random);
    if (fate.kills && random() < 0.15) failing.fillDisk(150 + random() * 250);
    if (fate.zombies && random() < 0.3 && !isCalm) members.alive()[0]?.abandon();
    if (random() < fate.leaves && !isCalm)
      await members
        .alive()[0]
        ?.consumer.stop()
        .catch(() => {});
    if (round === plan.resetAt) await beginAnew(world, run.misbehaviour);
    if (round === plan.weekEndsAt) await endWeek();
    if (fate.redrives && random() < 0.4) await redriveSome();
    if (round === plan.copyAt) copy = await past.copy();
    if (round === plan.backAt && copy !== null) {
      // Neither life: what is assigned meanwhile belongs to none.
      life += 1;
      await past.goBack(copy);
      life += 1;
    }
  }
  let waiting = 0;
  await until(`all is settled (seed ${seed})`, isSettled, {
    timeoutMs: run.patienceMs,
    everyMs: 50,
    describe: () =>
      [
        `${JSON.stringify(plan)}, ${waiting} keys parked, ${members.count()} members so far; the last of those alive:`,
        ...members
          .alive()
          .flatMap(({ consumer }) => ["", ...consumer.lines.slice(-12).map((line) => JSON.stringify(line))]),
      ].join("\n"),
  });
  const isLossTold = loss !== null && standsAt(loss.at);
  await past.end();
  return {
    world,
    dead: failing.hopeless(),
    brought,
    sent,
    old,
    crossed,
    early,
    loss,
    isLossTold,
    epoch: await epochOf(world),
    logged: members.logged,
  };

  async function sendRound(round: number): Promise<void> {
    for (const key of keys) {
      const first = random() < 0.5 ? 0 : 1;
      for (const topic of topics) if (topic === topics[first] || random() < 0.3) await send(topic, key, round);
    }
  }

  async function send(topic: TopicName, key: string, round: number): Promise<void> {
    const from = (counts.get(`${topic}/${key}`) ?? 0) + 1;
    // Behind its head, which fails for a while, more wait than a page of a queue holds.
    const isLong = round === plan.longAt && topic === topics[0] && key === "k3";
    const isOld = plan.weekEndsAt >= 0 && round < 2;
    const count = isLong ? 130 : random() < 0.5 ? 2 : 1;
    counts.set(`${topic}/${key}`, from + count - 1);
    const names = Array.from({ length: count }, (_, n) => nameOf({ topic, key, n: from + n }));
    if (isLong) failing.failFor(nameOf({ topic, key, n: from }), 6);
    for (const name of isLong ? [] : names) {
      failing.decide(name, { mayBeUnreadable: fate.kills });
      if (random() < 0.25) crossed.add(name);
      if (isOld && random() < 0.15) failing.holdBack(name);
    }
    const more = isOld ? { topic, time: oldTime() } : { topic };
    const ids = await world.send(Array<string>(count).fill(key), from, more);
    ids.forEach((id, n) => sent.set(id, names[n] ?? ""));
    if (isOld) for (const id of ids) old.add(id);
  }

  function somewhere(): TopicPartition {
    const topic = topics[random() < 0.5 ? 0 : 1] ?? topics[0];
    return { topic, partition: Math.floor(random() * partitions) };
  }

  function standsAt(at: TopicPartition): boolean {
    return members.alive().some(({ consumer }) => isStanding(consumer.notes(), at));
  }

  async function isSettled(): Promise<boolean> {
    members.staff();
    waiting = await waitingKeys(world);
    if (waiting > 0 || !(await world.caughtUp(standsAt)) || !(await isStored(world, standsAt))) return false;
    return !(await redriveMended());
  }

  /** Waits until every member is in the group, so that there is no zombie, and everything is committed. */
  async function untilQuiet(): Promise<void> {
    const isQuiet = async () => {
      members.staff();
      return world.fake?.members(group) === members.alive().length && (await world.caughtUp());
    };
    const describe = () => `${members.alive().length} are alive, ${world.fake?.members(group)} in the group`;
    await until("all members are in the group", isQuiet, { timeoutMs: run.patienceMs, describe });
  }

  async function calmDown(): Promise<void> {
    isCalm = true;
    world.fake?.misbehave({ failures: 0, hangingCommits: 0 });
    await untilQuiet();
  }

  /** Once nothing of the old week can be delivered any more, some of it waiting in queues. */
  async function endWeek(): Promise<void> {
    isCalm = true;
    const late = await holdLateCommits(world, run.misbehaviour);
    await untilQuiet();
    await dropOldWeek(world.db);
    failing.release();
    late.resume();
    isCalm = false;
  }

  /** Brings back what is dead; some of it works from now on. */
  async function redriveSome(): Promise<void> {
    const letters = await deadLetters();
    for (const { name } of letters) {
      brought.add(name);
      if (random() >= 0.5) failing.mend(name);
    }
    const redrive = redriveOf(letters);
    // One that is cut off, and made again.
    const cut = mortal(
      world.db,
      () => random() < 0.05,
      () => {},
    );
    await redriveDead(cut.db, redrive).catch(() => {});
    await redriveDead(world.db, redrive);
  }

  /** In a database that has gone back, what was brought back before may be dead again. Whether anything was. */
  async function redriveMended(): Promise<boolean> {
    const letters = life === 0 ? [] : (await deadLetters()).filter(({ name }) => !failing.isHopeless(name));
    if (letters.length > 0) await redriveDead(world.db, redriveOf(letters));
    return letters.length > 0;
  }

  async function deadLetters() {
    const rows = await world.db.sql<{ id: string; message_id: string }[]>`
      select id, message_id from dead_letters where state = 'dead'`;
    return rows.map(({ id, message_id }) => ({ id, name: sent.get(message_id) ?? "" }));
  }
}
export type Ran = Awaited<ReturnType<typeof runWorld>>;

function redriveOf(letters: readonly Readonly<{ id: string }>[]) {
  const ids = letters.map(({ id }) => id);
  return { group, ids, redriveId: crypto.randomUUID(), by: "ada", cap: 99 } as const;
}
