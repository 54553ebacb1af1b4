create table audit (
  id       uuid        primary key,
  at       timestamptz not null default clock_timestamp(),
  who      text        not null,
  via      text        not null check (via in ('cli', 'http')),
  action   text        not null,
  reason   text,
  plan     jsonb       not null,
  state    text        not null check (state in ('running', 'done', 'failed')),
  progress jsonb       not null default '{}',
  ended_at timestamptz
);
comment on table audit is 'Every change an operator made: who, what, when, and the plan it followed. Written by operator.';
comment on column audit.id is 'also the id under which a redrive or replay is resumed';
comment on column audit.plan is 'what was to be changed, as the dry run shows it';
comment on column audit.progress is 'how far it got; for what is done in one transaction, what was changed';
create index audit_at on audit (at);
