alter table delivery_lanes add column tested_at timestamptz(3);
comment on column delivery_lanes.tested_at is 'when its owner last had a test sent there; the next one is some seconds later';
