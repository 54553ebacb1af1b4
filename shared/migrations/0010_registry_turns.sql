create table registry_turns (
  registry     text        primary key,
  holder       uuid,
  held_until   timestamptz not null default '-infinity',
  failures     integer     not null default 0,
  failed_at    timestamptz,
  confirmed_at timestamptz
);
comment on table registry_turns is 'Whose turn it is to ask a schema registry what ids mean, so that roles that start together do not ask it all at once. Written by every role that reads or writes records; losing it costs nothing.';
comment on column registry_turns.registry is 'the address it is asked at';
comment on column registry_turns.holder is 'the start of a role that asks, or has asked last';
comment on column registry_turns.held_until is 'nobody else asks before; moved on while it asks, and after a failure the pause until the next try';
comment on column registry_turns.failures is 'failed turns in a row: the pause doubles with each';
comment on column registry_turns.failed_at is 'when a turn last failed; null once one has succeeded';
comment on column registry_turns.confirmed_at is 'when the registry last confirmed every id in schema_cache';
