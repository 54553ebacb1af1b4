-- What waits behind a hold is set aside: of shard s it becomes -1 - s, which no claim looks at, so that other keys do not pay for it.
alter table outbox drop constraint outbox_shard_check;
-- Not validated: that would read every row under the lock, and all of them are between 0 and 15.
alter table outbox add constraint outbox_shard_check check (shard between -16 and 15) not valid;
comment on column outbox.shard is 'hash of the key modulo 16; one relay owns a shard at a time. -1 minus that while it is set aside behind a hold';

-- A trigger, so that what was set aside comes back in the moment its hold is gone, whoever removes it: later rows of the key would overtake it.
create function return_from_aside() returns trigger language plpgsql as $$
begin
  update outbox set shard = -1 - outbox.shard
  from gone
  where outbox.shard between -16 and -1 and outbox.published_at is null and outbox.topic = gone.topic and outbox.key = gone.key;
  return null;
end $$;
create trigger outbox_holds_gone after delete on outbox_holds
  referencing old table as gone for each statement execute function return_from_aside();
