-- Of the rows from before, nobody knows; theirs are forgotten by the messages' time, as they were.
alter table inbox add column arrived date;
alter table inbox alter column arrived set default (clock_timestamp() at time zone 'UTC')::date;
comment on column inbox.arrived is 'when the row was written, by UTC: a message may come long after its time, and is remembered from then on. Null: before this was kept';

-- Hardly any row is in it. Same condition in inbox-retention.ts.
create index inbox_late on inbox (arrived) where arrived - (time at time zone 'UTC')::date > 7;
