-- One at a time: each takes the leases of all relays away for a moment.
create unique index audit_one_repartition on audit (action) where action = 'topics repartition' and state = 'running';
