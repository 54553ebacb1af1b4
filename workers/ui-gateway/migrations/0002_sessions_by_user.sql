-- Session ids are chosen by whoever issues the tokens: with one key for all, two users of the same id would sign each other out.
alter table sessions drop constraint sessions_pkey, add primary key (user_id, id);

comment on column sessions.id is 'The `jti` of the token, or a digest of what was signed where it has none. Unique per user.';
