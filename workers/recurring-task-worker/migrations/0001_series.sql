create table followed_tasks (
  task_id    uuid        primary key,
  user_id    uuid        not null,
  folded     jsonb,
  updated_at timestamptz not null default clock_timestamp()
);
comment on table followed_tasks is 'What recurrence depends on, of every task: any may become a template. Written by recurring-task-worker alone.';
comment on column followed_tasks.folded is 'FoldedTask with the fields of the schedule and of closing; null only inside the transaction that makes the row';

create table series (
  id          uuid           primary key,
  template_id uuid           not null,
  user_id     uuid           not null,
  status      text           not null check (status in ('pending', 'waiting', 'ended', 'stopped')),
  wake_at     timestamptz(3),
  generation  bigint         not null default 0,
  armed_in    bigint         not null default 0,
  created_at  timestamptz(3) not null default clock_timestamp(),
  updated_at  timestamptz    not null default clock_timestamp(),
  check ((status = 'pending') = (wake_at is not null))
);
comment on table series is 'One row per recurring template, also the timer of its next occurrence. Written by recurring-task-worker alone.';
comment on column series.id is 'equal to template_id for a series that was never split';
comment on column series.status is 'pending: until wake_at; waiting: for an occurrence to be closed; ended: by its rule; stopped: no live template';
comment on column series.wake_at is 'when the due of the last occurrence has passed';
comment on column series.generation is 'raised with every new wake_at; an older timer is stale';
comment on column series.armed_in is 'epoch of Redis in which a wake-up was stored; 0 for none';
create index series_due on series (wake_at, id) where status = 'pending';
create index series_unarmed on series (wake_at) where status = 'pending' and armed_in = 0;
create index series_of_template on series (template_id);
create index series_of_user on series (user_id, created_at desc, id desc);

create table occurrences (
  id            uuid        primary key,
  series_id     uuid        not null references series (id),
  number        integer     not null check (number > 0),
  recurrence_id text        not null,
  schedule_key  uuid        not null,
  starts_at     timestamptz not null,
  due_passes_at timestamptz not null,
  state         text        not null check (state in ('open', 'completed', 'deleted')),
  closed_at     timestamptz,
  asked_at      timestamptz not null default clock_timestamp(),
  unique (series_id, recurrence_id),
  unique (series_id, number)
);
comment on table occurrences is 'Every occurrence ever asked for; the row comes before its task. Written by recurring-task-worker alone.';
comment on column occurrences.id is 'the task''s id: UUIDv5 of series and recurrence id';
comment on column occurrences.number is 'order in which they were asked for, from 1';
comment on column occurrences.recurrence_id is 'local start in the series'' zone, 2026-01-31T09:00:00 or 2026-01-31; #2 and so on where the same time recurs';
comment on column occurrences.schedule_key is 'names the pattern, zone and start it was made under';
comment on column occurrences.state is 'as the task''s own events tell it';
create index occurrences_open on occurrences (series_id) where state = 'open';
