alter table series add column version bigint not null default 1;
comment on column series.version is 'raised with every change of the series, its occurrences or exceptions; its ETag';

alter table occurrences
  add column ahead      boolean not null default false,
  add column made_by    integer,
  add column taken_back boolean not null default false;
comment on column occurrences.ahead is 'asked for by a person out of its turn: the series does not go on from it';
comment on column occurrences.made_by is 'the number of the occurrence whose completion called for it';
comment on column occurrences.taken_back is 'asked to be removed, because the completion that called for it was undone; deleted then means it never was';

create table series_exceptions (
  series_id     uuid           not null references series (id),
  recurrence_id text           not null,
  kind          text           not null check (kind in ('skipped', 'moved')),
  due_date      timestamptz(3),
  due_on        date,
  starts_at     timestamptz    not null,
  created_at    timestamptz    not null default clock_timestamp(),
  primary key (series_id, recurrence_id),
  check (num_nonnulls(due_date, due_on) = case kind when 'moved' then 1 else 0 end)
);
comment on table series_exceptions is 'Recurrences that a person skipped or moved, those past included: they are history. Written by recurring-task-worker alone.';
comment on column series_exceptions.recurrence_id is 'local start as the rule says it, 2026-01-31T09:00:00 or 2026-01-31';
comment on column series_exceptions.due_date is 'with kind moved: the instant it is due instead; or due_on, the day';
comment on column series_exceptions.starts_at is 'the start of the recurrence, as the rule says it';
create index series_exceptions_by_time on series_exceptions (series_id, starts_at);
create index occurrences_by_time on occurrences (series_id, starts_at);

alter table followed_tasks add column template_id uuid;
comment on column followed_tasks.template_id is 'the template a task is an occurrence of, so that a series finds those it did not ask for';
create index followed_tasks_of_template on followed_tasks (template_id) where template_id is not null;
comment on column followed_tasks.folded is 'FoldedTask with the fields of the schedule, of closing and of its place; null where only an occurrence of it was heard of';
