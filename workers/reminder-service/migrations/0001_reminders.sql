create table reminder_guards (
  task_id uuid primary key,
  user_id uuid not null,
  -- By field: {value, version, time in ms}; version is that of the task, or of the command for what only commands say.
  fields jsonb not null default '{}',
  -- Whether the folded fields say completed or deleted: what firing asks without reading JSON.
  closed boolean not null default false,
  updated_at timestamptz not null default clock_timestamp()
);
comment on table reminder_guards is 'One row per task, folded from its events and commands alike; locked by whoever writes one of its reminders. Written by reminder-service alone.';

create table reminders (
  id uuid primary key,
  task_id uuid not null,
  user_id uuid not null,
  -- The rule that made it, such as at-due; null for one a person set to a time of its own.
  rule text,
  remind_at timestamptz(3) not null,
  -- Counts how often it was scheduled; a wake-up for an earlier one is stale.
  generation bigint not null,
  status text not null check (status in ('pending', 'triggered', 'dismissed')),
  -- Counts its events; ce_sequence on the topic reminders.
  version bigint not null,
  triggered_at timestamptz(3),
  dismissed_at timestamptz(3),
  -- Why it is dismissed: user, completed, deleted, template, moved, unscheduled.
  reason text,
  -- The remind_at a person dismissed last: it is not scheduled for that instant again.
  dismissed_for timestamptz(3),
  created_at timestamptz not null default clock_timestamp(),
  -- The epoch of Redis its wake-up was stored in; 0 for none in this generation.
  armed_in bigint not null default 0
);
comment on table reminders is 'Every reminder of every task; fired and dismissed ones stay as tombstones. Written by reminder-service alone.';

create index reminders_of_task on reminders (task_id);
create index reminders_of_user on reminders (user_id, remind_at, id);
create index reminders_due on reminders (remind_at, id) where status = 'pending';
create index reminders_unarmed on reminders (remind_at) where status = 'pending' and armed_in = 0;
