alter table reminder_guards add column floor bigint not null default 0;
comment on column reminder_guards.floor is 'the highest version of a reminder of the task whose row was taken away: a reminder made later, maybe under the same id, counts on from there';
comment on table reminders is 'The reminders of every task; fired and dismissed ones stay, up to a number per task. Written by reminder-service alone.';
