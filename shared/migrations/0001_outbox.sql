-- One sequence for all partitions. CACHE 1: a session that drew ids ahead would break "id order is commit order per row".
create sequence outbox_id_seq as bigint cache 1;

create table outbox (
  id           bigint      not null default nextval('outbox_id_seq'),
  day          date        not null default (clock_timestamp() at time zone 'UTC')::date,
  shard        smallint    not null check (shard between 0 and 15),
  topic        text        not null,
  key          text        not null,
  message_id   uuid        not null,
  type         text        not null,
  subject      text        not null,
  sequence     bigint,
  time         timestamptz not null,
  value        bytea       not null,
  headers      jsonb       not null,
  created_at   timestamptz not null default clock_timestamp(),
  published_at timestamptz,
  primary key (day, id)
) partition by range (day);

comment on table outbox is 'Messages on their way to Kafka. Written by every role, in the statement or transaction of the change; read and marked by outbox-relay.';
comment on column outbox.id is 'drawn after the lock of the row it tells about: per row, id order is commit order';
comment on column outbox.day is 'partition key, UTC';
comment on column outbox.shard is 'hash of the key modulo 16; one relay owns a shard at a time';
comment on column outbox.topic is 'logical name, without the deployment''s prefix';
comment on column outbox.sequence is 'version of the subject; becomes the header ce_sequence';
comment on column outbox.value is 'the bytes of the record, framed and encoded';
comment on column outbox.headers is '[[name, text | {"base64": …}], …], complete except ce_sequence';
comment on column outbox.published_at is 'when the broker had acknowledged it';

-- What the relay claims. Published rows are not in it, so it stays as small as the backlog.
create index outbox_unpublished on outbox (shard, id) where published_at is null;

-- No insert ever fails for want of a partition; the relay makes days ahead and empties this one.
create table outbox_default partition of outbox default;
comment on table outbox_default is 'Rows of days nobody made a partition for. Written by every role through outbox.';

do $$
declare
  first date := (clock_timestamp() at time zone 'UTC')::date;
begin
  for n in 0..2 loop
    execute format('create table %I partition of outbox for values from (%L) to (%L)',
      'outbox_' || to_char(first + n, 'YYYYMMDD'), first + n, first + n + 1);
  end loop;
end $$;

create table outbox_shards (
  shard      smallint    primary key check (shard between 0 and 15),
  owner      text,
  epoch      bigint      not null default 0,
  expires_at timestamptz not null default '-infinity'
);
comment on table outbox_shards is 'Which relay publishes which shard. Written by outbox-relay.';
comment on column outbox_shards.owner is 'instance that holds the lease; null after it gave it up';
comment on column outbox_shards.epoch is 'raised at every takeover; a mark with an older one changes nothing';
comment on column outbox_shards.expires_at is 'by the clock of the database';
insert into outbox_shards (shard) select generate_series(0, 15);

create table outbox_relays (
  instance text        primary key,
  seen_at  timestamptz not null
);
comment on table outbox_relays is 'Relays that are alive, to share the shards fairly. Written by outbox-relay.';

create table outbox_holds (
  topic  text        not null,
  key    text        not null,
  reason text        not null,
  since  timestamptz not null default clock_timestamp(),
  primary key (topic, key)
);
comment on table outbox_holds is 'Keys whose messages wait because one was refused by the broker. Written by outbox-relay; removed by an operator.';
