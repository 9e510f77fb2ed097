"""The service: snapshots, specs and agents, SQL over one SQLite file a snapshot, answers to Grafana."""
