create table timer_markers (
  name text primary key,
  epoch bigint not null default 1,
  marker text not null,
  next_marker text,
  server text,
  rotated_at timestamptz not null default clock_timestamp()
);
comment on table timer_markers is 'Written by every role with timers: what Redis must contain to be the Redis that was filled.';
comment on column timer_markers.name is 'The queue of wake-ups: one per table of timers.';
comment on column timer_markers.epoch is 'Raised whenever Redis lost something; rows armed in an earlier epoch are armed anew.';
comment on column timer_markers.marker is 'The value Redis holds.';
comment on column timer_markers.next_marker is 'The value Redis may already hold: written here first, then there, then moved to marker.';
comment on column timer_markers.server is 'The run id of the Redis server last seen; another one has restarted and may have lost its last second.';
