import type { Broker, Member } from "../../../shared/messages/broker.ts";
import type { Consumer, ConsumerWorld } from "../consumer-world.ts";
import { mortal } from "../mortal.ts";
import type { makeHandlers } from "./handlers.ts";
import { watchCommits } from "./watch-commits.ts";

/** Short enough for a test, and more than what fails for a while needs. */
const tiersMs = [5, 10, 20, 20, 40, 40, 40, 40];

/** The members of the group, three of them alive after each `staff`. */
export function makeMembers(
  world: ConsumerWorld,
  of: Readonly<{ random: () => number; mayBeKilled: () => boolean }>,
  handlersOf: (member: Readonly<{ name: string; number: number }>) => ReturnType<typeof makeHandlers>,
  watching: Parameters<typeof watchCommits>[1],
) {
  const members: ReturnType<typeof startMember>[] = [];
  const alive = () => members.filter((one) => !one.isGone());
  return {
    alive,
    count: () => members.length,
    staff: () => {
      while (alive().length < 3) members.push(startMember(members.length));
    },
    logged: (event: string) => members.flatMap(({ consumer }) => linesOf(consumer, event)),
  };

  function startMember(number: number) {
    let joined: Member | null = null;
    const life = mortal(
      world.db,
      // Where a queue or a dead letter is changed a kill is likelier: those moments are few.
      (text) =>
        of.mayBeKilled() &&
        of.random() < (/(insert into|update|delete from) (parked|dead_letters|inbox set)/.test(text) ? 0.02 : 0.0007),
      () => joined && world.fake?.lose(joined, "killed"),
    );
    const watched = watchCommits(world, watching);
    const broker: Pick<Broker, "join" | "admin"> = {
      admin: watched.admin,
      join: async (options) => {
        if (life.isDead()) throw new Error("killed");
        joined = await watched.join(options);
        // Killed while it joined: nobody would take it out of the group any more, and its partitions would stand still.
        if (life.isDead()) {
          world.fake?.lose(joined, "killed");
          throw new Error("killed");
        }
        return joined;
      },
    };
    const timing = { commitEveryMs: 20, watchEveryMs: 100, lookEveryMs: 200, stuckMs: 2_000, inactiveMs: 2_000 };
    const consumer = world.start({
      ...handlersOf({ name: `m${number}`, number }),
      db: life.db,
      broker,
      timing,
      tiersMs,
    });
    let ended = false;
    consumer.stopped.then(
      () => (ended = true),
      () => (ended = true),
    );
    return {
      consumer,
      isGone: () => ended || life.isDead(),
      abandon: () => joined && world.fake?.lose(joined, "zombie"),
    };
  }
}

function linesOf(consumer: Consumer, event: string) {
  return consumer.lines.filter((line) => line.event === event);
}
