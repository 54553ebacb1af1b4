alter table tasks add column remind text[];
-- Until now nothing kept a task from having both; the time says more than the day.
update tasks set due_on = null where due_date is not null and due_on is not null;
alter table tasks add check (due_date is null or due_on is null);
comment on column tasks.remind is 'rules such as PT15M before the due time; null for the user''s usual ones';
