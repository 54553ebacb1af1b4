create table write_probes (
  part text        primary key,
  at   timestamptz not null
);
comment on table write_probes is 'Rows that are written only to find out whether Postgres takes writes: one that is read-only still answers. Written by every consuming role; losing it costs nothing.';
comment on column write_probes.part is 'the consumer that asks';
comment on column write_probes.at is 'when a write last worked';
