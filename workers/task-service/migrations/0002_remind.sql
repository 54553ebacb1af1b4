alter table tasks add column remind text[];
alter table tasks add check (due_date is null or due_on is null);
comment on column tasks.remind is 'rules such as PT15M before the due time; null for the user''s usual ones';
