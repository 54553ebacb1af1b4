-- What fires later belongs to the chain of the request that scheduled it.
alter table reminders
  add column caused_by uuid,
  add column correlation_id text,
  add column traceparent text;
comment on column reminders.caused_by is 'the ReminderScheduled of its generation; null where an older build scheduled it';
comment on column reminders.correlation_id is 'of that message';
comment on column reminders.traceparent is 'of that message';
