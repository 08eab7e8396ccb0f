"""A job as a BashOperator: the compiled command line, in the Airflow worker."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator

from lakejobs_dags import settings
from lakejobs_dags.job_process import JobProcess
from lakejobs_dags.outcome import NOTHING_TO_DO, Summary
from lakejobs_dags.surroundings import task_environment
from lakejobs_dags.task_run import FIELDS, admit, finish


class BashJob(BashOperator):
    """
    Runs `lakejobs COMMAND FLAGS`. Values that are templates travel in the environment, never in the command's text.

    :param flags: by name; True for a flag without a value; a template that renders to nothing leaves its flag out
    :param environment: more names for the job; a template that renders to nothing leaves the worker's own value
    :param day: the day that the task is about
    :param skip_because: a template that renders to a reason where the run does not ask for this task
    """

    template_fields = (*BashOperator.template_fields, *FIELDS)
    ui_color = "#e6f2ec"

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
        words = ["exec", "node", '"$LAKEJOBS_HOME/dist/main.js"', command]
        env = {"LAKEJOBS_HOME": settings.HOME, **environment}
        for name, value in flags.items():
            if isinstance(value, str) and "{{" in value:
                variable = f"JOB_{name.upper().replace('-', '_')}"
                env[variable] = value
                words.append(f'${{{variable}:+"--{name}=${variable}"}}')
            else:
                words.append(shlex.quote(f"--{name}" if value is True else f"--{name}={value}"))
        super().__init__(
            bash_command=" ".join(words),
            env=env,
            append_env=True,
            cwd=settings.HOME,
            skip_on_exit_code=NOTHING_TO_DO,
            **kwargs,
        )
        self.day = day
        self.skip_because = skip_because
        self.same_rows_as = same_rows_as
        self.plans = plans
        self.item = item

    @cached_property
    def subprocess_hook(self) -> JobProcess:
        return JobProcess()

    def get_env(self, context: Any) -> dict[str, str]:
        """The worker's environment, over it what the task is, and what it says, unless that is nothing."""
        unsaid = {name: os.environ.get(name, "") for name, value in self.env.items() if value == ""}
        return {**super().get_env(context), **task_environment(context), **unsaid}

    def execute(self, context: Any) -> Summary | None:
        """The job's summary."""
        admit(self, context)
        job = self.subprocess_hook
        exit_code = job.run(["bash", "-c", self.bash_command], self.get_env(context), self.cwd)
        return finish(self, context, exit_code, job.job_log)
