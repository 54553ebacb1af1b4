create table delivery_lanes (
  id              uuid           primary key,
  user_id         uuid           not null,
  channel         text           not null,
  target          text           not null default '',
  next_at         timestamptz,
  failures        integer        not null default 0,
  failing_since   timestamptz(3),
  open_until      timestamptz(3),
  disabled_at     timestamptz(3),
  disabled_reason text,
  created_at      timestamptz(3) not null default clock_timestamp()
);
comment on table delivery_lanes is 'One row per user and way to them: what goes by it goes one at a time, in order. Written by notification-service alone.';
comment on column delivery_lanes.id is 'UUIDv5 of user, channel and target';
comment on column delivery_lanes.target is 'the URL of a webhook, the address of an e-mail, else empty';
comment on column delivery_lanes.next_at is 'when to look for something to send, at the latest; null while nothing waits';
comment on column delivery_lanes.failures is 'attempts failed in a row';
comment on column delivery_lanes.open_until is 'the breaker is open: nothing is sent before, then one attempt is the probe';
comment on column delivery_lanes.disabled_at is 'given up until its owner enables it; what is to go by it fails at once';
create index delivery_lanes_due on delivery_lanes (channel, next_at) where next_at is not null;
create index delivery_lanes_failing on delivery_lanes (channel) where failures > 0 or disabled_at is not null;

alter table deliveries
  alter column reminder_id drop not null,
  alter column task_id drop not null,
  add column kind text not null default 'reminder' check (kind in ('reminder', 'digest')),
  add column generation bigint,
  add column priority text,
  add column late_by integer,
  add column target text not null default '',
  add column lane uuid,
  add column fallbacks jsonb not null default '[]',
  add column fallback_of uuid,
  add column due_at timestamptz(3) not null default clock_timestamp(),
  add column bundle text check (bundle in ('quiet', 'late')),
  add column digest_id uuid,
  add column reason text,
  add column read_at timestamptz(3),
  add column resent_at timestamptz(3),
  add column resend_key text,
  drop constraint deliveries_status_check,
  drop constraint deliveries_event_id_channel_key,
  add constraint deliveries_status_check
    check (status in ('pending', 'sending', 'bundled', 'delivered', 'failed', 'dropped', 'cancelled')),
  add constraint deliveries_kind_check1 check ((kind = 'reminder') = (reminder_id is not null and task_id is not null)),
  add constraint deliveries_bundled_check check (status <> 'bundled' or digest_id is not null);
comment on column deliveries.kind is 'a digest tells several reminders at once: those whose digest_id it is';
comment on column deliveries.generation is 'of the reminder: one delivery at most per reminder, generation and lane';
comment on column deliveries.priority is 'of the task, as it was when the reminder fired';
comment on column deliveries.late_by is 'seconds after remind_at; null when it fired in time';
comment on column deliveries.fallbacks is 'the ways that are left when this one fails: [{channel, target}]';
comment on column deliveries.fallback_of is 'the delivery that failed before this one took its place';
comment on column deliveries.due_at is 'not before, by the clock of the database; also the order in the lane';
comment on column deliveries.bundle is 'why it may be told together with others: all of quiet hours, or all that came late';
comment on column deliveries.status is 'bundled: waits in a digest and shares its fate. dropped, cancelled: never sent, see reason';
comment on column deliveries.reason is 'why it was dropped or cancelled; on one that is being sent: cancelled unless this attempt delivers';
comment on column deliveries.read_at is 'when the user had seen it; of in-app ones';
comment on column deliveries.resent_at is 'when somebody asked for it again: then it is sent whatever became of its task';
comment on column deliveries.resend_key is 'the Idempotency-Key of the last request to send it again';

update deliveries set channel = 'operator-webhook' where channel = 'webhook';
update deliveries set due_at = created_at;
-- What waits keeps waiting, in lanes of its own; new reminders get others, by computed ids.
update deliveries set lane = lanes.id
from (
  select user_id, channel, gen_random_uuid() as id from deliveries
  where status in ('pending', 'sending') group by user_id, channel
) lanes
where deliveries.user_id = lanes.user_id and deliveries.channel = lanes.channel and status in ('pending', 'sending');
insert into delivery_lanes (id, user_id, channel, next_at)
select lane, user_id, channel, clock_timestamp() from deliveries where lane is not null group by lane, user_id, channel;

drop index deliveries_due;
drop index deliveries_leased;
create unique index deliveries_once on deliveries (reminder_id, generation, lane);
create index deliveries_waiting on deliveries (lane, due_at, id) where status = 'pending';
create index deliveries_sending on deliveries (lane) where status = 'sending';
create index deliveries_of_digest on deliveries (digest_id) where digest_id is not null;
create index deliveries_unread on deliveries (user_id, created_at)
  where channel = 'in-app' and status = 'delivered' and read_at is null and digest_id is null;
create index deliveries_old on deliveries (created_at);

create table delivery_attempts (
  claim       uuid           primary key,
  delivery_id uuid           not null references deliveries (id) on delete cascade,
  attempt     integer        not null,
  channel     text           not null,
  outcome     text           not null check (outcome in ('delivered', 'retry', 'failed', 'cancelled', 'unknown')),
  reason      text,
  ms          integer,
  at          timestamptz(3) not null default clock_timestamp()
);
comment on table delivery_attempts is 'What became of each attempt to send; the last 50 of a delivery. Written by notification-service alone.';
comment on column delivery_attempts.claim is 'of the sender that made it';
comment on column delivery_attempts.outcome is 'unknown: the sender vanished; the receiver may have it';
create index delivery_attempts_of on delivery_attempts (delivery_id, at);
