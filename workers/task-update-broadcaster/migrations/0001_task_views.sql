create table task_views (
  task_id uuid primary key,
  -- The owner, as the task's own events name it; of a placeholder, as its first reminder does.
  user_id uuid not null,
  -- FoldedTask: per field the value, the version that set it and when; null while only reminders are known.
  folded jsonb,
  -- FoldedReminder by reminder id.
  reminders jsonb not null default '{}',
  -- Counts the changes sent out; it is ce_sequence on task-updates. Rises for ever: to rebuild a view, clear folded and
  -- reminders and keep the row, or gateways and clients ignore what comes after as old.
  view_version bigint not null default 0,
  updated_at timestamptz not null default clock_timestamp()
);

comment on table task_views is 'One row per task, with its reminders, folded from their events; deleted tasks stay as tombstones. Written by task-update-broadcaster alone.';
