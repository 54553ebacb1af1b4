create table database_history (
  number     integer     primary key,
  life       text        not null,
  timeline   text        not null,
  system     text        not null,
  reason     text        not null,
  noticed_at timestamptz not null default clock_timestamp()
);
comment on table database_history is 'Each time this database went back in time, or may have. Written by every consuming role when it notices, and by operator.';
comment on column database_history.number is '0 is the beginning; versions told after it begin above number times a thousand millions, because those below may have been told before';
comment on column database_history.life is 'server_life() of the server that was asked';
comment on column database_history.timeline is 'of the write-ahead log: another one after a promotion and after a recovery to a point in time';
comment on column database_history.system is 'system identifier: another one where the tables were restored from a dump';
comment on column database_history.reason is 'timeline, system; effects or events that Kafka has and the database had not; or what an operator said';

comment on table stream_epoch is 'Names the life of a topic that clients keep positions of. Written by operator when it creates the topic, and with each new row of database_history.';

create function database_timeline() returns text language sql stable
  as $$ select left(pg_walfile_name(pg_current_wal_lsn()), 8) $$;
comment on function database_timeline() is 'The timeline that is written now. Fails on a replica.';

-- A promoted server is on another timeline at once, also before anybody has noticed.
create function told_floor() returns bigint language sql stable
  as $$
    select (number + case when timeline = database_timeline() then 0 else 1 end) * 1000000000::bigint
    from database_history order by number desc limit 1
  $$;
comment on function told_floor() is 'Versions at or below it may have been told before the database went back in time; 0 if it never did.';

-- What the server tells of itself is asked with 0020: not every Postgres does.
insert into database_history (number, life, timeline, system, reason) select 0, server_life(), '', '', 'beginning';
