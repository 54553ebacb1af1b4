-- What is sent names the chain its reminder fired in.
alter table deliveries
  add column correlation_id text,
  add column traceparent text;
comment on column deliveries.correlation_id is 'of the ReminderTriggered, in a digest of the first; null where an older build planned it';
comment on column deliveries.traceparent is 'of the same message';
