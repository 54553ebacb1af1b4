-- What is asked for because of a change of preferences belongs to the request that made the change.
alter table preferences
  add column redecide_correlation_id text,
  add column redecide_traceparent text;
comment on column preferences.redecide_correlation_id is 'of the request for whose change tasks are decided again; null where an older build took it';
comment on column preferences.redecide_traceparent is 'of the same request';
