create table deliveries (
  id                  uuid           primary key,
  event_id            uuid           not null,
  channel             text           not null,
  user_id             uuid           not null,
  reminder_id         uuid           not null,
  task_id             uuid           not null,
  title               text,
  remind_at           timestamptz,
  triggered_at        timestamptz    not null,
  status              text           not null default 'pending' check (status in ('pending', 'sending', 'delivered', 'failed')),
  attempts            integer        not null default 0,
  next_attempt_at     timestamptz    not null default clock_timestamp(),
  claim               uuid,
  lease_until         timestamptz,
  possibly_duplicated boolean        not null default false,
  last_error          text,
  delivered_at        timestamptz(3),
  created_at          timestamptz(3) not null default clock_timestamp(),
  unique (event_id, channel),
  check ((status = 'sending') = (claim is not null and lease_until is not null))
);
comment on table deliveries is 'One row per fired reminder and channel: what is to be sent, and what became of it. Written by notification-service alone.';
comment on column deliveries.id is 'UUIDv5 of event and channel: the idempotency key the receiver sees';
comment on column deliveries.event_id is 'ce_id of the ReminderTriggered';
comment on column deliveries.title is 'of the task, as it was when the reminder fired';
comment on column deliveries.next_attempt_at is 'by the clock of the database';
comment on column deliveries.claim is 'drawn by the sender that has it now; one with another claim may not mark it';
comment on column deliveries.possibly_duplicated is 'a sender vanished between sending and marking; the receiver may have it twice';
comment on column deliveries.last_error is 'why the last attempt failed; no content';
create index deliveries_due on deliveries (channel, next_attempt_at) where status = 'pending';
create index deliveries_leased on deliveries (channel, lease_until) where status = 'sending';
create index deliveries_of_user on deliveries (user_id, created_at desc, id desc);
