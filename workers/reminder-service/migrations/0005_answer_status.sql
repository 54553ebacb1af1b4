alter table reminder_request_keys add column status smallint;
comment on column reminder_request_keys.status is 'the status it was sent with; null for one kept by a build that did not say: that of its route';
