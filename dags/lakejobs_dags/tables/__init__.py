"""The DAGs of `lakejobs.yaml` (docs/tables.md): its groups, as they are read when DAGs are parsed."""
