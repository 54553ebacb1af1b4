comment on column occurrences.made_by is 'the number of the occurrence whose completion or deletion called for it';
