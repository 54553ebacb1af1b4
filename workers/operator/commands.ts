import type { AnyAction } from "./action.ts";
import type { ActionCommand } from "./action-command.ts";
import { auditCommand } from "./commands/audit.ts";
import { consumersCommand } from "./commands/consumers.ts";
import { dlqCommand } from "./commands/dlq.ts";
import { groupsCommand } from "./commands/groups.ts";
import { outboxCommand } from "./commands/outbox.ts";
import { parkedCommand } from "./commands/parked.ts";
import { schemasCommand } from "./commands/schemas.ts";
import { topicsCommand } from "./commands/topics.ts";

/** The commands that the API and the page have too, by their word. `ops.ts` adds those of the command line alone. */
export const sharedCommands = {
  topics: topicsCommand,
  schemas: schemasCommand,
  groups: groupsCommand,
  consumers: consumersCommand,
  parked: parkedCommand,
  dlq: dlqCommand,
  outbox: outboxCommand,
  audit: auditCommand,
} as const satisfies Readonly<Record<string, ActionCommand>>;

type Commands = (typeof sharedCommands)[keyof typeof sharedCommands];
type ActionsOf<C> = C extends Readonly<{ actions: infer A }> ? A[keyof A] : never;
type OthersOf<C> = C extends Readonly<{ others: readonly (infer O)[] }> ? O : never;
/** Each of their actions. */
export type Actions = ActionsOf<Commands> | OthersOf<Commands>;

export const actions: readonly AnyAction[] = Object.values<ActionCommand>(sharedCommands).flatMap((command) => [
  ...Object.values(command.actions),
  ...(command.others ?? []),
]);
