create table wanted_reminders (
  task_id uuid primary key,
  user_id uuid not null,
  -- FoldedTask with the fields reminders depend on; null for a moment only, inside the transaction that makes the row.
  folded jsonb,
  -- The due time and the rules last asked for, to compare with; null when no reminder is wanted.
  wanted text,
  -- How many commands were sent for the task; it is ce_sequence on reminder-commands.
  commands bigint not null default 0,
  updated_at timestamptz not null default clock_timestamp()
);

comment on table wanted_reminders is 'One row per task: what its reminders depend on and what was last asked of reminder-service. Written by reminder-scheduling-worker alone.';
