-- A managed Postgres may refuse to say: Aurora does (55000, 0A000), and rights can be missing.
create or replace function database_timeline() returns text language plpgsql stable
  as $$
    begin
      return left(pg_walfile_name(pg_current_wal_lsn()), 8);
    exception
      when feature_not_supported or insufficient_privilege or undefined_function or object_not_in_prerequisite_state then
        if pg_is_in_recovery() then
          raise exception 'this is a replica: it has no timeline of its own' using errcode = 'read_only_sql_transaction';
        end if;
        return '';
    end
  $$;
comment on function database_timeline() is 'The timeline that is written now; empty where the server does not tell. Fails on a replica as a write does (25006): who asks waits for it to be promoted.';

create function database_system() returns text language plpgsql stable
  as $$
    begin
      return (select system_identifier::text from pg_control_system());
    exception
      when feature_not_supported or insufficient_privilege or undefined_function or object_not_in_prerequisite_state then
        return '';
    end
  $$;
comment on function database_system() is 'The identifier of the cluster, made by initdb; empty where the server does not tell.';

update database_history set timeline = database_timeline(), system = database_system() where number = 0 and timeline = '';
