import { readConfig } from "../../../shared/config.ts";
import { openRegistry, registrySettings, type RegistryClient } from "../../../shared/registry.ts";
import { historyMistakes } from "../../../shared/avro/compatibility.ts";
import { readSchemas, type SchemaHistory } from "../../../shared/avro/files.ts";
import { audited } from "../audit.ts";
import { commonOptions, readArgs, readVerb, type Command, type Terminal } from "../command.ts";
import { openOpsDb, readBy } from "../open-tools.ts";
import { printTable } from "../print-table.ts";

export const schemasCommand: Command = {
  summary: "show schemas as they are registered; apply registers what is missing",
  help: `ops schemas [ls|apply] [--json]

  ls       every subject: versions committed here, versions registered, the compatibility level (the default)
  apply    checks all committed versions against each other (FULL_TRANSITIVE, without the registry), then sets that
           level on every subject and registers what is missing, oldest version first. Safe to run twice. Run it before
           roles of this build are started: they never register anything.`,
  run: async (args, terminal) => {
    const { env, print } = terminal;
    const { values, positionals } = readArgs(args, {
      ...commonOptions,
      by: { type: "string" },
      reason: { type: "string" },
    });
    const verb = readVerb(positionals, ["ls", "apply"]);
    const { registry: settings } = readConfig({ registry: registrySettings }, env);
    const histories = await readSchemas();
    const mistakes = histories.flatMap(historyMistakes);
    if (mistakes.length > 0)
      throw new Error(`the committed schemas are not sound, nothing was registered:\n  ${mistakes.join("\n  ")}`);
    const registry = openRegistry(settings);
    const each = async (act: typeof look): Promise<readonly SubjectState[]> => {
      const states: SubjectState[] = [];
      // One after the other: an error then says how far it got, and ids are given in the order of the topics.
      for (const history of histories) states.push(await act(registry, history));
      return states;
    };
    const rows =
      verb === "ls"
        ? await each(look)
        : await applyAudited(
            () => each(look),
            () => each(apply),
            values,
            terminal,
          );
    if (values.json) print(JSON.stringify({ applied: verb === "apply", subjects: rows }));
    else
      print(
        printTable(
          ["SUBJECT", "COMMITTED", "REGISTERED", "ID", "COMPATIBILITY", "STATE"],
          rows.map((row) => [
            row.subject,
            row.committed,
            row.registered,
            row.id,
            row.compatibility ?? "global",
            row.changes.length > 0 ? row.changes.join(", ") : row.state,
          ]),
        ),
      );
    return 0;
  },
};

/** The registry stands apart from the database: where none is set, there is no audit to write to. */
async function applyAudited(
  lookAll: () => Promise<readonly SubjectState[]>,
  applyAll: () => Promise<readonly SubjectState[]>,
  values: Parameters<typeof readBy>[0],
  terminal: Terminal,
): Promise<readonly SubjectState[]> {
  const missing = (await lookAll()).filter(({ state }) => state !== "as wanted");
  if (missing.length === 0 || !terminal.env["DATABASE_URL"]) return applyAll();
  await using db = await openOpsDb(terminal);
  const plan = { subjects: missing.map(({ subject, state }) => ({ subject, state })) };
  return await audited(db.sql, readBy(values, terminal.env), { action: "schemas apply", plan }, applyAll);
}

const level = "FULL_TRANSITIVE";

type SubjectState = Readonly<{
  subject: string;
  /** Versions in this checkout, and in the registry. */
  committed: number;
  registered: number;
  /** Of the newest committed version. */
  id: number | null;
  compatibility: string | null;
  state: "as wanted" | "not registered" | "other compatibility" | "registry is ahead";
  /** What `apply` did. */
  changes: readonly string[];
}>;

async function look(registry: RegistryClient, history: SchemaHistory): Promise<SubjectState> {
  const { subject, versions, current } = history;
  const found = await registry.lookup(subject, JSON.stringify(current.schema));
  const [registered, compatibility] = await Promise.all([registry.versions(subject), registry.compatibility(subject)]);
  const state =
    found === null
      ? "not registered"
      : compatibility !== level
        ? "other compatibility"
        : registered.length > versions.length
          ? "registry is ahead"
          : "as wanted";
  return {
    subject,
    committed: versions.length,
    registered: registered.length,
    id: found?.id ?? null,
    compatibility,
    state,
    changes: [],
  };
}

async function apply(registry: RegistryClient, history: SchemaHistory): Promise<SubjectState> {
  const { subject, versions } = history;
  const changes: string[] = [];
  const known = await registry.versions(subject);
  const before = await registry.compatibility(subject);
  const setLevel = async () => {
    if (before === level) return;
    await registry.setCompatibility(subject, level);
    changes.push(`compatibility ${before ?? "global"} -> ${level}`);
  };
  // Redpanda's registry takes a level for a subject that has no version yet, older ones of others do not.
  if (known.length > 0) await setLevel();
  for (const { schema, version, path } of versions) {
    const text = JSON.stringify(schema);
    if ((await registry.lookup(subject, text)) !== null) continue;
    const { id } = await registry.register(subject, text).catch((error: unknown) => {
      throw new Error(`schemas/${path} was not registered under ${subject}`, { cause: error });
    });
    changes.push(`registered v${version} as ${id}`);
  }
  if (known.length === 0) await setLevel();
  return { ...(await look(registry, history)), changes };
}
