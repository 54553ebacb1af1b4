alter table delivery_lanes
  add column hour_began timestamptz(3),
  add column hour_count integer not null default 0;
comment on column delivery_lanes.hour_began is 'when the first attempt of the present hour was made; an hour later the next one begins';
comment on column delivery_lanes.hour_count is 'attempts made in that hour; so many mails an hour go to one address, the rest waits';

alter table deliveries
  drop constraint deliveries_bundle_check,
  add constraint deliveries_bundle_check check (bundle in ('quiet', 'late', 'hourly'));
comment on column deliveries.bundle is 'why it may be told together with others: all of quiet hours, all that came late, or all over the hour''s number';
