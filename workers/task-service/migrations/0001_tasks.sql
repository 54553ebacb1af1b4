create table tasks (
  id                    uuid        primary key,
  user_id               uuid        not null,
  title                 text        not null check (title <> ''),
  description           text,
  created_at            timestamptz not null,
  updated_at            timestamptz not null,
  due_date              timestamptz,
  due_on                date,
  due_tz                text,
  priority              text        check (priority in ('Low', 'Medium', 'High')),
  tags                  text[]      not null default '{}',
  status                text        not null default 'open' check (status in ('open', 'completed')),
  completed_at          timestamptz,
  deleted_at            timestamptz,
  is_recurring_template boolean     not null default false,
  recurrence_pattern    text,
  template_id           uuid,
  recurrence_id         text,
  version               bigint      not null default 1 check (version > 0),
  check ((status = 'completed') = (completed_at is not null)),
  check (is_recurring_template = (recurrence_pattern is not null)),
  check ((template_id is null) = (recurrence_id is null))
);

comment on table tasks is 'Tasks, templates and occurrences; deleted ones stay as tombstones. Written by task-service.';
comment on column tasks.created_at is 'to the millisecond, as in its event: it is part of the list cursor';
comment on column tasks.updated_at is 'the time of the newest event';
comment on column tasks.due_on is 'the day an all-day task is due';
comment on column tasks.deleted_at is 'set: the task answers 404 and nothing brings it back but a restore';
comment on column tasks.recurrence_pattern is 'JSON text, every choice filled in; set exactly for templates';
comment on column tasks.recurrence_id is 'which occurrence of template_id this is';
comment on column tasks.version is 'counts the events of the task; ce_sequence, ETag';

create index tasks_of_user on tasks (user_id, created_at desc, id desc) where deleted_at is null;
create unique index tasks_occurrence on tasks (template_id, recurrence_id) where template_id is not null;

create table idempotency_keys (
  user_id     uuid        not null,
  key         text        not null check (length(key) between 1 and 255),
  fingerprint text        not null,
  task_id     uuid        not null,
  status      smallint    not null,
  version     bigint,
  body        text,
  created_at  timestamptz not null default clock_timestamp(),
  primary key (user_id, key)
);

comment on table idempotency_keys is 'Answers to requests that came with an Idempotency-Key, kept a day. Written by task-service, in the statement of the change.';
comment on column idempotency_keys.fingerprint is 'SHA-256 of method, path and body, base64';
comment on column idempotency_keys.task_id is 'the task changed, or made';
comment on column idempotency_keys.version is 'the ETag answered; null where there was none';
comment on column idempotency_keys.body is 'the answer as it was sent; null where it had none';

create index idempotency_keys_age on idempotency_keys (created_at);
