"""A job as a process of the worker: its output becomes the task's log, a stop reaches it once."""

from __future__ import annotations

import os
import signal
import subprocess

from airflow.providers.standard.hooks.subprocess import SubprocessHook

from lakejobs_dags.job_log import JobLog

# What a job that is told to stop may take to clean up; Airflow itself kills a task's process after 5 s.
_GRACE_SECONDS = 60


class JobProcess(SubprocessHook):
    """Runs a job in a process group of its own; what it prints goes to `job_log`."""

    def __init__(self) -> None:
        super().__init__()
        self.job_log = JobLog(self.log)
        self._is_told_to_stop = False

    def run(self, command: list[str], env: dict[str, str], cwd: str) -> int:
        """Returns the exit code: 128 + n for a process that signal n has ended, as shells have it."""
        self.sub_process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=cwd, start_new_session=True
        )
        try:
            self._read_output()
            code = self.sub_process.wait()
        except BaseException:
            # The time limit, above all. The job must neither outlive its task nor write into a closed pipe.
            self.send_sigterm()
            self._await_end()
            raise
        return code if code >= 0 else 128 - code

    def send_sigterm(self) -> None:
        """Tells the job to stop, once: at a second signal it would not clean up."""
        process = self.sub_process
        if process is None or process.poll() is not None or self._is_told_to_stop:
            return
        self._is_told_to_stop = True
        self.log.info("Telling the job to stop")
        os.killpg(process.pid, signal.SIGTERM)

    def _read_output(self) -> None:
        for raw in iter(self.sub_process.stdout.readline, b""):
            self._take(raw)

    def _take(self, raw: bytes) -> None:
        self.job_log.line(raw.decode(errors="backslashreplace").rstrip())

    def _await_end(self) -> None:
        try:
            rest, _ = self.sub_process.communicate(timeout=_GRACE_SECONDS)
            for raw in rest.splitlines():
                self._take(raw)
            self.job_log.end("")
        except subprocess.TimeoutExpired:
            os.killpg(self.sub_process.pid, signal.SIGKILL)
            self.sub_process.wait()

