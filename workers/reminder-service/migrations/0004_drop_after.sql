alter table reminders add column drop_after text;
comment on column reminders.drop_after is 'an ISO 8601 duration: fired later than so much after remind_at, it is dismissed as expired instead; null: however late';
