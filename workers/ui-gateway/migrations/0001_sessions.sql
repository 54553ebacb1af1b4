create table sessions (
  -- The token's `jti`, or a digest of a token without one.
  id text primary key,
  user_id uuid not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  -- Set by logging out: tokens of the session are refused from then on and its streams end.
  ended_at timestamptz
);
create index sessions_ended on sessions (expires_at) where ended_at is not null;

comment on table sessions is 'Sessions made by the development login, and every session that was logged out, until it would have expired. Written by ui-gateway alone.';

create table stream_tickets (
  -- SHA-256 of the ticket: reading this table opens no stream.
  hash bytea primary key,
  user_id uuid not null,
  session_id text not null,
  session_expires_at timestamptz not null,
  expires_at timestamptz not null
);
create index stream_tickets_expires on stream_tickets (expires_at);

comment on table stream_tickets is 'One-time tickets for streams of clients that can send no headers; a row is deleted by its use. Written by ui-gateway alone.';
