alter table series_exceptions
  add column due_local    text,
  add column due_local_at timestamptz;
comment on column series_exceptions.due_local is 'the local time and zone that due_date was said as, 2026-12-01T09:00:00[America/Vancouver] (RFC 9557); null where it was said as an instant';
comment on column series_exceptions.due_local_at is 'the due_date found for due_local; where due_date is another, due_local is of no use any more';
