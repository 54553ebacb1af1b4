-- One sequence for all groups: an epoch names its group too, so the inbox needs no group column.
create sequence consumer_group_epoch as integer;

create table consumer_groups (
  name       text        primary key,
  epoch      integer     not null unique default nextval('consumer_group_epoch'),
  created_at timestamptz not null default clock_timestamp()
);
comment on table consumer_groups is 'Consumer groups and the inbox epoch each is in. Written by every consuming role at its first start, and by operator at a reset.';
comment on column consumer_groups.epoch is 'which part of the inbox counts; a reset takes the next one, so that everything may be handled again';

create type inbox_fate as enum ('done', 'parked', 'dead');

-- Partitioned by the message's own time, never by arrival: a message seen on two days must meet its first row.
create table inbox (
  epoch      integer     not null,
  message_id uuid        not null,
  time       timestamptz not null,
  fate       inbox_fate  not null,
  primary key (epoch, message_id, time)
) partition by range (time);
comment on table inbox is 'What became of each message in each group. Written by every consuming role, in the transaction of the effect.';
comment on column inbox.epoch is 'of the group, see consumer_groups';
comment on column inbox.message_id is 'ce_id; for a record without a readable envelope, derived from its place in the log';
comment on column inbox.time is 'ce_time';
comment on column inbox.fate is 'done: its effect is here; parked: it waits behind a failure of its key; dead: it is in the dead-letter topic';

-- Weeks are made ahead by the consumers; times nobody has a week for still meet their first row here.
create table inbox_default partition of inbox default;
comment on table inbox_default is 'Messages of times without a partition. Written by every consuming role through inbox.';

do $$
declare
  monday date := date_trunc('week', clock_timestamp() at time zone 'UTC')::date;
begin
  for week in -7..3 loop
    execute format('create table %I partition of inbox for values from (%L) to (%L)',
      'inbox_' || to_char(monday + week * 7, 'YYYYMMDD'),
      (monday + week * 7)::timestamp at time zone 'UTC', (monday + week * 7 + 7)::timestamp at time zone 'UTC');
  end loop;
end $$;
