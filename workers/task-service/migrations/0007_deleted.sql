-- A person's deleted tasks, the newest deletion first: the other indexes leave tombstones out.
create index tasks_deleted on tasks (user_id, deleted_at desc, id desc) where deleted_at is not null;
