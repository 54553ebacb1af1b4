-- Of a person with a long history the few of one status are listed without reading the rest.
create index reminders_of_status on reminders (user_id, status, remind_at, id);
-- The open tasks of a person: where a list of their reminders begins.
create index reminder_guards_open on reminder_guards (user_id) where not closed;
