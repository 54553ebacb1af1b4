create table reminder_request_keys (
  user_id     uuid        not null,
  key         text        not null check (length(key) between 1 and 255),
  -- SHA-256 of method, path and body, base64.
  fingerprint text        not null,
  -- The answer as it was sent.
  body        text        not null,
  created_at  timestamptz not null default clock_timestamp(),
  primary key (user_id, key)
);
comment on table reminder_request_keys is 'Answers to requests that came with an Idempotency-Key, kept a day. Written by reminder-service alone, in the transaction of the reminder.';

create index reminder_request_keys_age on reminder_request_keys (created_at);
