"""What the DAGs of lakejobs share: one factory of tasks, days and parameters, outcomes, alerts."""
