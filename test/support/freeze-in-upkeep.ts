// A process that runs the upkeep steps of its second argument against the database of its first, and stops itself
// (SIGSTOP) after its first change of tables. It says "frozen" before.
import { inboxUpkeep } from "../../shared/consume/inbox-retention.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openDb, type Db, type Tx } from "../../shared/postgres/db.ts";
import { runUpkeep } from "../../shared/role/upkeep.ts";
import { outboxUpkeep } from "../../workers/outbox-relay/partitions.ts";

const [url = "", wanted = ""] = process.argv.slice(2);
const log = makeLog({ role: "frozen" }, "warn");
await using db = await openDb({ url, directUrl: null, statementMs: 10_000 }, { role: "frozen", poolSize: 2, log });

const freezing = (tx: Tx): Tx =>
  new Proxy(tx, {
    get: (target, name, self) =>
      name === "unsafe"
        ? async (...args: Parameters<Tx["unsafe"]>) => {
            const answer = await target.unsafe(...args);
            if (/^\s*(create|drop|alter) table/.test(args[0])) {
              process.stdout.write("frozen\n");
              process.kill(process.pid, "SIGSTOP");
            }
            return answer;
          }
        : Reflect.get(target, name, self),
  });
const transaction: Db["transaction"] = (work, options) => db.transaction((tx) => work(freezing(tx)), options);
const all = { ...inboxUpkeep({ ...db, transaction }, log), ...outboxUpkeep({ ...db, transaction }, log) };
await runUpkeep(Object.fromEntries(Object.entries(all).filter(([step]) => step === wanted)), { log });
