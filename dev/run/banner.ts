import type { Stack } from "../stack/stack.ts";
import type { Status } from "./status.ts";

/** Every address, for people. `why` says why this stack was chosen; `status` alone leaves it out. */
export function renderBanner(
  status: Status,
  stack?: Pick<Stack, "why" | "extras"> & Readonly<{ operatorToken: string | undefined }>,
): string {
  const rows: (readonly [string, string])[] = [];
  if (status.app !== null) rows.push(["app", status.app], ["API docs", `${status.app}/docs`]);
  if (status.operator !== null) rows.push(["operator", status.operator]);
  if (status.operator !== null && stack?.operatorToken) rows.push(["its token", stack.operatorToken]);
  rows.push(["database", status.databaseUrl], ["broker", status.kafkaBrokers]);
  rows.push(["registry", status.schemaRegistryUrl], ["redis", status.redisUrl], ...(stack?.extras ?? []));
  const parts = status.stack.parts.map((part) => part.name).join(", ");
  const reason = stack === undefined ? "" : `, because ${stack.why}`;
  rows.push(["stack", `${status.stack.kind}${parts === "" ? "" : ` (${parts})`}${reason}`]);
  const roles = status.roles.map((role) => {
    const label = role.instance === 1 ? role.name : `${role.name}.${role.instance}`;
    const state = role.ready ? "ready" : role.pid === null ? "not running" : "not ready";
    return [label, `http://127.0.0.1:${role.metricsPort}/metrics  (${state})`] as const;
  });
  const width = Math.max(...[...rows, ...roles].map(([label]) => label.length));
  const line = ([label, value]: readonly [string, string]): string => `  ${label.padEnd(width)}  ${value}`;
  const sections = [
    rows.map(line).join("\n"),
    ...(roles.length === 0 ? [] : [["", "  roles and their metrics", ...roles.map(line)].join("\n")]),
  ];
  return sections.join("\n");
}
