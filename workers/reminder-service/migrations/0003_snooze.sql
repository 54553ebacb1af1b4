alter table reminders add column snoozed_from timestamptz(3);
alter table reminders add column snoozed_for timestamptz(3);
comment on column reminders.snoozed_from is 'the time it had before it was snoozed; null where it is not';
comment on column reminders.snoozed_for is 'what its rule wanted when it was snoozed: once that is another instant, the snooze is over';
