create table consumer_positions (
  group_name    text        not null,
  topic         text        not null,
  partition     integer     not null,
  next_offset   bigint      not null,
  doubted_below bigint,
  stored_at     timestamptz not null default clock_timestamp(),
  primary key (group_name, topic, partition)
) with (fillfactor = 50);
comment on table consumer_positions is 'How far each group''s effects are in this database. Written by every consuming role, always before it commits to Kafka, and by operator at a reset. A commit above it shows a database that has gone back.';
comment on column consumer_positions.next_offset is 'every record below has its fate in this database';
comment on column consumer_positions.doubted_below is 'the group had committed so far when it was found to be above next_offset; records below that are new here were lost. Null once next_offset is there';

create function server_life() returns text language sql stable
  as $$ select (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint::text $$;
comment on function server_life() is 'When the postmaster that answers was started, in µs since the epoch. Another value means a restart, a failover or a restore.';
