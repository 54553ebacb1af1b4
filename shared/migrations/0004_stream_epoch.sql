create table stream_epoch (
  topic      text        primary key,
  epoch      text        not null,
  created_at timestamptz not null default clock_timestamp()
);
comment on table stream_epoch is 'Names the life of a topic that clients keep positions of. Written by the operator''s command line whenever it creates the topic.';
comment on column stream_epoch.epoch is 'part of every position; positions of another epoch are refused';
