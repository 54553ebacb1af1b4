create table parked_keys (
  epoch       integer     not null,
  topic       text        not null,
  key         text        not null,
  partition   integer     not null,
  attempts    integer     not null default 0,
  next_at     timestamptz not null,
  since       timestamptz not null default clock_timestamp(),
  class       text        not null,
  error       text        not null,
  fingerprint text        not null,
  primary key (epoch, topic, key)
);
comment on table parked_keys is 'Keys whose messages wait behind a failure; locking the row is locking the queue. Written by every consuming role, and by operator.';
comment on column parked_keys.epoch is 'of the group, see consumer_groups';
comment on column parked_keys.attempts is 'how often the head of the queue was tried';
comment on column parked_keys.next_at is 'when the head is tried next; never earlier, by the clock of the database';
comment on column parked_keys.since is 'since when the key waits';
comment on column parked_keys.class is 'of the last failure of the head, as error and fingerprint are';

create index parked_keys_due on parked_keys (epoch, next_at);

create table parked_messages (
  id           bigint      primary key generated always as identity,
  epoch        integer     not null,
  topic        text        not null,
  key          text        not null,
  partition    integer     not null,
  "offset"     bigint      not null,
  message_id   uuid        not null,
  time         timestamptz not null,
  timestamp_ms bigint      not null,
  value        bytea,
  headers      jsonb       not null,
  history      jsonb       not null default '[]',
  redrive_id   uuid,
  parked_at    timestamptz not null default clock_timestamp()
);
comment on table parked_messages is 'The queues of the parked keys, in the order of id. Written by every consuming role, and by operator; rows are never locked, the key''s row is.';
comment on column parked_messages.message_id is 'with time, the key of the inbox';
comment on column parked_messages.timestamp_ms is 'of the record, ms since the epoch';
comment on column parked_messages.headers is 'as received: [[name, text | {"base64": …}], …]';
comment on column parked_messages.history is 'the last tries: [{at, class, error}], oldest first';
comment on column parked_messages.redrive_id is 'the redrive that brought it back; null for what waits for the first time';

create index parked_messages_queue on parked_messages (epoch, topic, key, id);

create table dead_letters (
  id           uuid        primary key,
  group_name   text        not null,
  epoch        integer     not null,
  topic        text        not null,
  key          text,
  partition    integer     not null,
  "offset"     bigint      not null,
  message_id   uuid        not null,
  time         timestamptz not null,
  timestamp_ms bigint      not null,
  value        bytea,
  headers      jsonb       not null,
  type         text,
  user_id      uuid,
  class        text        not null,
  error        text        not null,
  stack        text,
  fingerprint  text        not null,
  attempts     jsonb       not null,
  redrives     integer     not null default 0,
  state        text        not null check (state in ('dead', 'redriven', 'dropped', 'edited')),
  edited_from  uuid,
  dead_at      timestamptz not null default clock_timestamp(),
  settled_at   timestamptz
);
comment on table dead_letters is 'What groups gave up on, so that looking and redriving need no scan of Kafka. Written by every consuming role when it gives up, and by operator.';
comment on column dead_letters.id is 'the message id of the record in <group>-dlq';
comment on column dead_letters.headers is 'as received: [[name, text | {"base64": …}], …]';
comment on column dead_letters.attempts is 'the tries it had: [{at, class, error}], oldest first';
comment on column dead_letters.redrives is 'how often it was brought back';
comment on column dead_letters.edited_from is 'the dead letter this one is a corrected copy of';
comment on column dead_letters.settled_at is 'when it was redriven, dropped or replaced by an edited copy';

create index dead_letters_group on dead_letters (group_name, state, dead_at);
create index dead_letters_kind on dead_letters (group_name, fingerprint);
create index dead_letters_message on dead_letters (message_id);

create table consumer_controls (
  group_name    text        primary key,
  paused        boolean     not null default false,
  release_flood boolean     not null default false,
  set_by        text        not null,
  reason        text,
  set_at        timestamptz not null default clock_timestamp()
);
comment on table consumer_controls is 'What operators told consumer groups. Written by operator; a group clears release_flood when it has obeyed it.';
