alter table occurrences add column dropped boolean not null default false;
comment on column occurrences.dropped is 'never heard of when its series was ended before it; its task may exist, so it is asked for again under the same id';
