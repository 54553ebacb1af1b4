-- Which series and occurrences, deleted since, were made at a moment: what a split made when it ended another series.
create index tasks_made_at_once on tasks (user_id, created_at)
  where deleted_at is not null and (is_recurring_template or template_id is not null);
