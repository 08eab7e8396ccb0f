"""A job as a DockerOperator: the image of the compose service `jobs`, in a container of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from airflow.providers.docker.exceptions import DockerContainerFailedException, DockerContainerFailedSkipException
from airflow.providers.docker.operators.docker import DockerOperator
from docker.types import Mount

from lakejobs_dags.job_log import JobLog
from lakejobs_dags.outcome import NOTHING_TO_DO, Summary, summary_of
from lakejobs_dags.surroundings import task_environment
from lakejobs_dags.tables.forms import source_prefixes
from lakejobs_dags.task_run import FIELDS, admit, finish

# Where the image's relative paths ./data/… point to.
_DATA = "/opt/lakejobs/data"
_TABLES = "/opt/lakejobs/tables"
_SETTINGS = ("POSTGRES_", "ICEBERG_", "MINIO_ROOT_", "S3_", "AWS_", "CRUD_", "EXPORT_", "LAKEJOBS_")
_SETTING_NAMES = {"WAREHOUSE", "PARQUET_LOCATION", "DEMO_DATA", "SPARK_REMOTE", "SPARK_PATH_MAP"}
# OpenLineage's, as far as jobs read them: the filter knows no others of its clients.
_OPEN_LINEAGE = {
    *(f"OPENLINEAGE_{name}" for name in ("URL", "ENDPOINT", "API_KEY", "NAMESPACE", "DISABLED", "CONTEXT")),
    *(f"OPENLINEAGE_{name}" for name in ("PARENT_ID", "ROOT_PARENT_ID")),
    *(f"OPENLINEAGE__TRANSPORT__{name}" for name in ("TYPE", "URL", "ENDPOINT", "AUTH", "AUTH__APIKEY")),
    *(f"OPENLINEAGE__TRANSPORT__{name}" for name in ("LOG_FILE_PATH", "APPEND")),
}
# Of the roles that a worker may have: READER_AWS_PROFILE (docs/permissions.md).
_OF_ROLE = re.compile(r"(?:READER|MAINTAINER|DEMO)_(?:AWS|(?:ICEBERG_)?POSTGRES)_\w+")
# libpq's, which stand in for unset settings of PostgreSQL: without them a job would ask for less TLS than was meant.
_LIBPQ = {"PGPASSFILE", "PGPASSWORD", "PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"}
# About Airflow, its tasks and Compose, not about the job. The filter before the engine knows the rest, and no other.
_OWN = re.compile(
    r"LAKEJOBS_(RUNNER|NETWORK|HOME|UID|DAGS|DAG_PREFIX|PAUSED|SCHEDULE|TIMEZONE|RETRY_SECONDS|NOT_YET_\w+)"
    r"|(LAKEJOBS_(\w+_)?|POSTGRES_)IMAGE|S3_(CONSOLE_)?PORT"
)
# How a source is reached, as CRM_HOST. The filter before the engine knows these ends, too.
_OF_SOURCE = re.compile(
    r"([A-Z][A-Z0-9_]*?)_(?:HOST|PORT|DB|USER|PASSWORD(?:_FILE|_COMMAND)?|SSL(?:MODE|ROOTCERT|CERT|KEY))"
)


def job_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of lakejobs in an environment (.env.example), those of the sources of lakejobs.yaml among them."""
    prefixes = source_prefixes()

    def is_setting(name: str) -> bool:
        if name in _SETTING_NAMES | _OPEN_LINEAGE | _LIBPQ or name.startswith(_SETTINGS):
            return not _OWN.fullmatch(name)
        if _OF_ROLE.fullmatch(name):
            return True
        return bool(found := _OF_SOURCE.fullmatch(name)) and found[1] in prefixes

    return {name: value for name, value in environment.items() if value != "" and is_setting(name)}


class DockerJob(DockerOperator):
    """
    Runs `lakejobs COMMAND FLAGS` in a container that is removed afterwards. Parameters as of BashJob.

    The settings travel as private environment, so that Airflow's "Rendered Templates" show no secret.
    """

    template_fields = (*DockerOperator.template_fields, *FIELDS)
    ui_color = "#e6f2ec"
    _job_log: JobLog | None = None

    @property
    def log(self) -> Any:
        """Where the provider writes the container's lines as they come."""
        return self._job_log or super().log

    def __init__(
        self,
        *,
        command: str,
        flags: Mapping[str, str | bool],
        environment: Mapping[str, str],
        day: str,
        skip_because: str = "",
        same_rows_as: str = "",
        plans: bool = False,
        item: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        words = [f"--{name}" if value is True else f"--{name}={value}" for name, value in flags.items()]
        data = os.environ.get("HOST_DATA_DIR")
        # The folder of LAKEJOBS_CONFIG on the engine's machine: a file alone would stay as it was when it is replaced.
        tables = os.environ.get("HOST_TABLES_DIR")
        uid = os.environ.get("LAKEJOBS_UID")
        super().__init__(
            image=os.environ.get("LAKEJOBS_IMAGE") or "lakejobs/jobs:latest",
            command=[command, *words],
            environment=dict(environment),
            private_environment=job_settings(os.environ),
            docker_url=os.environ.get("DOCKER_URL") or "tcp://docker-filter:2375",
            network_mode=os.environ.get("LAKEJOBS_NETWORK") or "lakejobs",
            mounts=[
                *([Mount(source=data, target=_DATA, type="bind")] if data else []),
                *([Mount(source=tables, target=_TABLES, type="bind", read_only=True)] if tables else []),
            ],
            user=f"{uid}:0" if uid else None,
            mount_tmp_dir=False,
            auto_remove="force",
            skip_on_exit_code=NOTHING_TO_DO,
            xcom_all=True,
            **kwargs,
        )
        self.day = day
        self.skip_because = skip_because
        self.same_rows_as = same_rows_as
        self.plans = plans
        self.item = item

    def execute(self, context: Any) -> Summary | None:
        """The job's summary."""
        admit(self, context)
        self.command = [word for word in self.command if not word.endswith("=")]
        said = {name: value for name, value in self.environment.items() if value != ""}
        self.environment = {**task_environment(context), **said}
        # What the task says wins over the worker's settings.
        for name in self.environment:
            self._private_environment.pop(name, None)
        self._job_log = job_log = JobLog(self.log)
        exit_code = 0
        try:
            super().execute(context)
        except (DockerContainerFailedException, DockerContainerFailedSkipException) as failure:
            exit_code = exit_code_of(failure, job_log.lines)
        return finish(self, context, exit_code, job_log)


def exit_code_of(failure: Exception, lines: list[str]) -> int:
    """By the job's summary; a container that was killed before it could print one counts as failed."""
    if isinstance(failure, DockerContainerFailedSkipException):
        return NOTHING_TO_DO
    summary = summary_of(lines)
    return summary["exit"] if summary and summary["exit"] != 0 else 1
