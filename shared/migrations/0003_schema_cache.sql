create table schema_cache (
  id          bigint      primary key,
  subject     text,
  fingerprint text        not null,
  schema      text        not null,
  created_at  timestamptz not null default clock_timestamp()
);
comment on table schema_cache is 'What schema ids mean, so that roles start and run while the registry is down. Written by every role that reads or writes records; rows never change.';
comment on column schema_cache.id is 'the id in the framing of a record';
comment on column schema_cache.subject is 'the subject this build writes it under; null for one that was only read';
comment on column schema_cache.fingerprint is 'SHA-256 of the meaning; a registry that says otherwise is refused';
comment on column schema_cache.schema is 'the text the registry gave';
