-- 0 for rows of roles that do not know the column yet: those wait in no line.
alter table outbox add column line integer not null default 0;
comment on column outbox.line is 'hash of topic and user; lines take turns when one of them is long. 0: in no line, published as soon as possible';

-- Finds the lines that wait in a shard, and the first rows of each, however many rows one of them has.
create index outbox_lines on outbox (shard, line, id) where published_at is null;
