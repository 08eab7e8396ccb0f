"""A job as a DockerOperator: the image of the compose service `jobs`, in a container of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from airflow.providers.docker.exceptions import DockerContainerFailedException, DockerContainerFailedSkipException
from airflow.providers.docker.operators.docker import DockerOperator
from docker.types import Mount

from lakejobs_dags.outcome import NOTHING_TO_DO, Summary, summary_of
from lakejobs_dags.task_run import FIELDS, admit, finish

# Where the image's relative paths ./data/… point to.
_DATA = "/opt/lakejobs/data"
_SETTINGS = ("POSTGRES_", "ICEBERG_", "MINIO_ROOT_", "S3_", "AWS_", "CRUD_", "EXPORT_", "LAKEJOBS_")
_SETTING_NAMES = {"WAREHOUSE", "PARQUET_LOCATION", "DEMO_DATA"}
# About Airflow and its tasks, not about the job.
_OWN = {"LAKEJOBS_RUNNER", "LAKEJOBS_IMAGE", "LAKEJOBS_NETWORK", "LAKEJOBS_HOME", "LAKEJOBS_UID"}


def job_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of lakejobs in an environment (.env.example)."""
    return {
        name: value
        for name, value in environment.items()
        if (name in _SETTING_NAMES or name.startswith(_SETTINGS)) and name not in _OWN and value != ""
    }


class DockerJob(DockerOperator):
    """
    Runs `lakejobs COMMAND FLAGS` in a container that is removed afterwards. Parameters as of BashJob.

    The settings travel as private environment, so that Airflow's "Rendered Templates" show no secret.
    """

    template_fields = (*DockerOperator.template_fields, *FIELDS)
    ui_color = "#e6f2ec"

    def __init__(
        self,
        *,
        command: str,
        flags: Mapping[str, str | bool],
        environment: Mapping[str, str],
        day: str,
        skip_because: str = "",
        **kwargs: Any,
    ) -> None:
        words = [f"--{name}" if value is True else f"--{name}={value}" for name, value in flags.items()]
        data = os.environ.get("HOST_DATA_DIR")
        uid = os.environ.get("LAKEJOBS_UID")
        super().__init__(
            image=os.environ.get("LAKEJOBS_IMAGE") or "lakejobs/jobs:latest",
            command=[command, *words],
            environment=dict(environment),
            private_environment=job_settings(os.environ),
            docker_url=os.environ.get("DOCKER_URL") or "tcp://docker-filter:2375",
            network_mode=os.environ.get("LAKEJOBS_NETWORK") or "lakejobs",
            mounts=[Mount(source=data, target=_DATA, type="bind")] if data else [],
            user=f"{uid}:0" if uid else None,
            mount_tmp_dir=False,
            auto_remove="force",
            skip_on_exit_code=NOTHING_TO_DO,
            xcom_all=True,
            **kwargs,
        )
        self.day = day
        self.skip_because = skip_because

    def execute(self, context: Any) -> Summary | None:
        """The job's summary."""
        admit(self, context)
        self.command = [word for word in self.command if not word.endswith("=")]
        self.environment = {name: value for name, value in self.environment.items() if value != ""}
        # What the task says wins over the worker's settings.
        for name in self.environment:
            self._private_environment.pop(name, None)
        try:
            exit_code, lines = 0, super().execute(context) or []
        except (DockerContainerFailedException, DockerContainerFailedSkipException) as failure:
            lines = failure.logs or []
            exit_code = exit_code_of(failure, lines)
        return finish(self, exit_code, lines)


def exit_code_of(failure: Exception, lines: list[str]) -> int:
    """By the job's summary; a container that was killed before it could print one counts as failed."""
    if isinstance(failure, DockerContainerFailedSkipException):
        return NOTHING_TO_DO
    summary = summary_of(lines)
    return summary["exit"] if summary and summary["exit"] != 0 else 1
