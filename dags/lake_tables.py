"""
The DAGs of `lakejobs.yaml`: one for each group of tables (docs/tables.md). What is wrong in the file takes no DAG away: a group
that it concerns stays as it last was, and lake_tables_faults.py says what it is.
"""

from __future__ import annotations

from airflow.sdk import get_parsing_context
from lakejobs_dags import settings
from lakejobs_dags.tables.dag import lake_dag
from lakejobs_dags.tables.document import Faults
from lakejobs_dags.tables.forms import forms
from lakejobs_dags.tables.groups import Group

# A task's process needs the one that it is of, also where the file has lost it since the run began.
_wanted = get_parsing_context().dag_id
_groups = [group for group in forms(Faults()) if _wanted in (None, group.dag_id)]
if _wanted and not _groups and _wanted.startswith(settings.DAG_PREFIX):
    _groups = [Group(_wanted.removeprefix(settings.DAG_PREFIX))]
# Airflow takes them as they are made, unless LAKEJOBS_DAGS leaves them out.
_dags = [lake_dag(_group) for _group in _groups]
