-- Set by a change of zone, all_day_at or default_reminders: the user's tasks after this one are still to be decided again, in id order.
alter table preferences add column redecide_after uuid;
comment on column preferences.redecide_after is 'the task after which tasks are still to be decided again by these preferences; null when all are';
create index preferences_redecide on preferences (user_id) where redecide_after is not null;

-- The tasks of a user that a change can matter to.
create index wanted_reminders_of_user on wanted_reminders (user_id, task_id) where wanted is not null;
