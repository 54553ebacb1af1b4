-- Case and accents do not count in a search. Where the server has no ICU, letters beyond ASCII fold as its locale has it.
do $$
declare
  folding text := case when exists (select from pg_collation where collname = 'und-x-icu') then ' collate "und-x-icu"' else '' end;
begin
  execute format($body$
    create function search_fold(said text) returns text
    language sql immutable strict parallel safe
    return lower(regexp_replace(normalize(said, NFKD), U&'[\0300-\036F]', '', 'g')%s)
  $body$, folding);
end $$;
comment on function search_fold(text) is 'a text as searches compare it: small letters without accents';

create function search_parts(said text) returns setof text
language sql immutable strict parallel safe
return regexp_split_to_table(search_fold(said), U&'[\0020\0009-\000D!-/:-@\005B-`{-~\00A0-\00BF\2000-\206F\3000-\303F]+');

-- Every word bears the end of its user's id, so the index is one of words by user: what others have costs nothing.
create function search_words(user_id uuid, title text, description text, tags text[]) returns tsvector
language sql immutable parallel safe
return (
  select array_to_tsvector(coalesce(array_agg(distinct right(user_id::text, 8) || word), '{}'))
  from (
    select ' ' || left(part, 64) as word
    from search_parts(title || ' ' || coalesce(description, '') || ' ' || coalesce(array_to_string(tags, ' '), '')) as part
    where part <> ''
    union all
    select '#' || left(search_fold(tag), 400) from unnest(tags) as tag
  ) as words);
comment on function search_words(uuid, text, text, text[]) is 'what a task is found by: its words, and its tags as a whole';

-- Words hold neither quotes nor backslashes: those part words.
create function search_query(user_id uuid, said text) returns tsquery
language sql immutable parallel safe
return (
  select coalesce(string_agg(format('''%s %s'':*', right(user_id::text, 8), left(part, 64)), ' & '), '')::tsquery
  from search_parts(said) as part where part <> '');
comment on function search_query(uuid, text) is 'tasks of this user with words that begin with each of these';

create function search_tag(user_id uuid, tag text) returns tsquery
language sql immutable parallel safe
return format('''%s#%s''', right(user_id::text, 8), replace(replace(left(search_fold(tag), 400), '\', '\\'), '''', ''''''))::tsquery;
comment on function search_tag(uuid, text) is 'tasks of this user with this tag as a whole';

-- Kept, not only indexed: a condition that no index answers is looked at row by row. Rewrites the table once.
alter table tasks add column words tsvector generated always as (search_words(user_id, title, description, tags)) stored not null;
comment on column tasks.words is 'what the task is found by, each word behind the end of its user''s id, each tag whole behind # as well';
create index tasks_words on tasks using gin (words) where deleted_at is null;
