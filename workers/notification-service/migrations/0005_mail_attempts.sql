create table mail_attempts (
  mailbox text           not null,
  at      timestamptz(3) not null default clock_timestamp()
);
comment on table mail_attempts is 'When a mail was tried to an address in the last hour, whoever it was for: no more than so many go there. Written by notification-service alone.';
comment on column mail_attempts.mailbox is 'the address in lower case, without its +tag';
create index mail_attempts_of on mail_attempts (mailbox, at);
create index mail_attempts_old on mail_attempts (at);

comment on column delivery_lanes.hour_began is 'not used any more; see mail_attempts';
comment on column delivery_lanes.hour_count is 'not used any more; see mail_attempts';
