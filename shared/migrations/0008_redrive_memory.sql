-- A redrive that is begun again must not bring back what it brought back before and what died once more.
alter table dead_letters add column last_redrive uuid;
comment on column dead_letters.last_redrive is 'the redrive that brought it back last';

comment on table consumer_controls is 'What operators told consumer groups. Written by operator; release_flood holds for whoever had not seen its set_at.';
