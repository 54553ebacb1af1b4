alter table deliveries add column plan_version bigint not null default -1;
comment on column deliveries.plan_version is 'of the preferences it was planned by; 0: their owner had none; -1: not known, counts as old';
create index deliveries_deferred on deliveries (user_id, plan_version) where status = 'pending' and bundle = 'quiet';
comment on column deliveries.possibly_duplicated is 'a sender vanished between sending and marking, or the receiver did not answer in time; it may have it twice';
