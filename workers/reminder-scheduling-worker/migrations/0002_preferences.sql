create table preferences (
  user_id    uuid        primary key,
  settings   jsonb       not null,
  version    bigint      not null default 1 check (version > 0),
  updated_at timestamptz not null default clock_timestamp()
);
comment on table preferences is 'What a person wants of reminders and notifications. Written by reminder-scheduling-worker alone, read by other roles.';
comment on column preferences.settings is 'the body of PUT /v1/preferences with its defaults';
comment on column preferences.version is 'counts the changes; ETag';
