alter table tasks
  add column due_local    text,
  add column due_local_at timestamptz;
comment on column tasks.due_local is 'the local time and zone that due_date was said as, 2026-12-01T09:00:00[America/Vancouver] (RFC 9557); null where it was said as an instant';
comment on column tasks.due_local_at is 'the due_date found for due_local; where due_date is another, due_local is of no use any more';
create index tasks_due_local on tasks (id) where due_local is not null and status = 'open' and deleted_at is null;

-- Occurrences made so far: their place in the series is such a time, unless somebody moved them.
do $$
begin
  if to_regclass('occurrences') is not null then
    update tasks set due_local = split_part(tasks.recurrence_id, '#', 1) || '[' || due_tz || ']', due_local_at = due_date
    from occurrences
    where occurrences.id = tasks.id and occurrences.starts_at = tasks.due_date and tasks.due_tz is not null
      and length(split_part(tasks.recurrence_id, '#', 1)) = 19
      and status = 'open' and deleted_at is null and due_date > now() - interval '1 day';
  end if;
end $$;
