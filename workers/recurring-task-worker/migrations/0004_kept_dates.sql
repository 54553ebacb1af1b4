alter table series
  add column revision   bigint      not null default 1,
  add column kept       jsonb,
  add column kept_of    bigint,
  add column kept_until timestamptz;
-- What names a revision (the end of a series, on its topic) must not be named again.
update series set revision = version;
comment on column series.version is 'raised with every change that a person makes: of the template''s schedule, of exceptions, of what is done ahead; the number in its ETag';
comment on column series.revision is 'raised with every change of the series, its occurrences or exceptions, whoever makes it';
comment on column series.kept is 'what a reader found out about the dates ahead, see KeptDates; replaceable';
comment on column series.kept_of is 'the revision that kept was found out of; of no use for another';
comment on column series.kept_until is 'when time makes kept wrong; null for never';
