"""A job as a process of the worker: its output becomes the task's log, a stop reaches it once."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess

from airflow.providers.standard.hooks.subprocess import SubprocessHook

# What a job that is told to stop may take to clean up; Airflow itself kills a task's process after 5 s.
_GRACE_SECONDS = 60
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


class JobProcess(SubprocessHook):
    """Runs a job in a process group of its own and keeps all lines that it prints."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
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
            line = raw.decode(errors="backslashreplace").rstrip()
            self.lines.append(line)
            level, text = readable(line)
            self.log.log(level, "%s", text)

    def _await_end(self) -> None:
        try:
            rest, _ = self.sub_process.communicate(timeout=_GRACE_SECONDS)
            self.log.info("%s", rest.decode(errors="backslashreplace").rstrip())
        except subprocess.TimeoutExpired:
            os.killpg(self.sub_process.pid, signal.SIGKILL)
            self.sub_process.wait()


def readable(line: str) -> tuple[int, str]:
    """A JSON line of the job's logger as level and text; any other line as it is."""
    try:
        entry = json.loads(line)
        level, message = _LEVELS[entry["level"]], entry["msg"]
    except (ValueError, TypeError, KeyError):
        return logging.INFO, line
    rest = {name: value for name, value in entry.items() if name not in ("level", "time", "msg")}
    return level, " ".join([message, *(f"{name}={_text(value)}" for name, value in rest.items())])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
