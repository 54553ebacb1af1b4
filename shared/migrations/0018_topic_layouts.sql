create table topic_layouts (
  topic      text        primary key,
  partitions integer     not null,
  generation bigint      not null default 0,
  held_by    uuid,
  held_since timestamptz
);
comment on table topic_layouts is 'Topics that were given other partitions while everything ran; without a row: never. Written by operator, obeyed by outbox-relay.';
comment on column topic_layouts.partitions is 'how many the topic has since';
comment on column topic_layouts.generation is 'counts the changes: a relay publishes the topic only once its producer has asked the broker since the last';
comment on column topic_layouts.held_by is 'the operation, an id of audit, for which nothing of the topic is published; null while it is';

-- A relay of an earlier build publishes what is held.
alter table outbox_relays add column obeys_layouts boolean not null default false;
comment on column outbox_relays.obeys_layouts is 'whether it looks at topic_layouts';
