alter table reminders
  add column snooze_local    text,
  add column snooze_local_at timestamptz(3);
comment on column reminders.snooze_local is 'the local time and zone it was snoozed to, 2026-12-01T20:00:00[America/Vancouver] (RFC 9557), by tonight and the like; null for an instant or a span';
comment on column reminders.snooze_local_at is 'the remind_at found for snooze_local; where remind_at is another, snooze_local is of no use any more';
create index reminders_snooze_local on reminders (id) where snooze_local is not null and status = 'pending';
