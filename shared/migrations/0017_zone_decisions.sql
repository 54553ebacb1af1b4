create table zone_decisions (
  part        text        not null,
  edition     text        collate "C" not null,
  seen_at     timestamptz not null default clock_timestamp(),
  begun_at    timestamptz,
  after       uuid,
  held_until  timestamptz not null default '-infinity',
  done_at     timestamptz,
  primary key (part, edition)
);
comment on table zone_decisions is 'With which editions of the zone data what depends on zones was decided, by part. Written by every role that keeps a part.';
comment on column zone_decisions.part is 'what one role decides by zones: tasks, series, reminders, snoozes, deliveries';
comment on column zone_decisions.edition is 'of IANA''s data, 2026f; later ones sort later';
comment on column zone_decisions.seen_at is 'when an instance with this edition last said that it runs';
comment on column zone_decisions.begun_at is 'when the last pass through what is stored began; null before the first';
comment on column zone_decisions.after is 'the row after which the pass goes on, in id order; null when none runs';
comment on column zone_decisions.held_until is 'an instance works on the next rows, nobody else before';
comment on column zone_decisions.done_at is 'when the last pass was done';
