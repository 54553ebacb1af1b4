alter table consumer_positions add column topic_id text;
comment on column consumer_positions.topic_id is 'what Kafka called the topic that next_offset is of: one deleted and made again has another. Null until the group has joined with a build that asks';
