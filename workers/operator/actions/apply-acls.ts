import type { AclAdmin } from "../../../shared/kafka/acls.ts";
import type { Db } from "../../../shared/postgres/db.ts";
import type { AclStep } from "../acls/plan-acls.ts";
import { audited, type ChangeAuthor } from "../audit.ts";

type ApplyAcls = Readonly<{ plan: readonly AclStep[]; prune: boolean; by: ChangeAuthor }>;

/**
 * Creates what is missing and, with `prune`, removes what is too much, in that order: nothing that is wanted is away in
 * between. Safe to run twice. The broker's users stand apart from the database: without `db`, as where none is set,
 * nothing is audited.
 */
export async function applyAcls(
  { admin, db }: Readonly<{ admin: AclAdmin; db: Db | null }>,
  { plan, prune, by }: ApplyAcls,
): Promise<void> {
  const create = plan.filter(({ kind }) => kind === "create").map(({ acl }) => acl);
  const remove = prune ? plan.filter(({ kind }) => kind === "extra").map(({ acl }) => acl) : [];
  if (create.length + remove.length === 0) return;
  const work = async () => {
    await admin.create(create);
    await admin.remove(remove);
  };
  await (db === null ? work() : audited(db.sql, by, { action: "acls apply", plan: { create, remove } }, work));
}
