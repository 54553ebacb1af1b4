alter table tasks add column first_occurrence uuid;
comment on column tasks.first_occurrence is 'of a template as it was made: the id its first occurrence will have, which its answer named; null for others';
create index tasks_first_occurrence on tasks (first_occurrence) where first_occurrence is not null;
