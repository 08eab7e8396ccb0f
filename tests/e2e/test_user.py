"""A clone of an ordinary user's: what containers and the user write below ./data both may change; and of one that hides it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import ROOT, Failed, Stack, copy_of_repository

USER = 12345
LOG = "user@x.org,READ,{day} 08:00:00\n"


@pytest.fixture(params=["", str(USER)], ids=["LAKEJOBS_UID unset", "LAKEJOBS_UID set"])
def clone(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """With the images of this folder's other tests, where they have been built."""
    yield from a_clone(LAKEJOBS_UID=request.param)


def a_clone(**settings: str) -> Iterator[Stack]:
    # Not below pytest's folder, which its user alone may enter.
    folder = Path(tempfile.mkdtemp(prefix="lakejobs-user-"))
    folder.chmod(0o755)
    stack = copy_of_repository(folder)
    stack.set_env(**settings)
    for name in ("dist", "node_modules"):
        (folder / name).symlink_to(ROOT / name)
    chown(folder)
    try:
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "10", check=False)
        stack.run("docker", "image", "rm", "--force", *(stack.env(f"LAKEJOBS_{kind}IMAGE") for kind in ("", "AIRFLOW_")), check=False)
        shutil.rmtree(folder, ignore_errors=True)


def chown(folder: Path) -> None:
    """The clone is the user's, where this test may give it away."""
    if os.getuid() == 0:
        subprocess.run(["chown", "-hR", f"{USER}:{USER}", str(folder)], check=True)


def as_user(stack: Stack, *command: str, umask: str = "0022") -> str:
    """As the clone's owner, who is in no group of the containers'."""
    identity = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.getuid() == 0 else []
    prefix = ["setpriv", *identity] if identity else []
    return stack.run(*prefix, "sh", "-c", f'umask {umask} && exec "$@"', "sh", *command).stdout


def test_data_is_the_users_and_the_containers(clone: Stack) -> None:
    clone.compose("build", "data-init")
    clone.compose("up", "--detach", "--wait", "minio")
    for number, umask in enumerate(("0022", "0077")):
        day = f"2024-09-1{6 + number}"
        log = clone.folder / f"{day}.csv"
        log.write_text(LOG.format(day=day))
        log.chmod(0o644)
        as_user(clone, "cp", log.name, "data/crud/input/", umask=umask)
        # In turns, on the same folders, results and cache.
        assert clone.job("aggregate", day)["rows"] == number + 1
        arguments = ("data/crud/input", "data/crud/output", day, "--cache", "data/crud/cache", "--verify-cache")
        assert '"status":"ok"' in as_user(clone, "node", "dist/main.js", "aggregate", *arguments, umask=umask)
        assert clone.job("aggregate", day, "--refresh")["rows"] == number + 1
        as_user(clone, "mkdir", "-p", f"data/crud/output/of-{umask}", umask=umask)
        assert clone.job("aggregate", "data/crud/input", f"data/crud/output/of-{umask}", day, options=("--user", "4711:0"))
    # The store writes, too.
    clone.job("aggregate", "data/crud/input", "s3://logs-bucket/crud/out", "2024-09-16")
    assert clone.folder.joinpath("data/crud/input").stat().st_uid in (USER, os.getuid())
    clone.compose("down", "--volumes")
    as_user(clone, "rm", "-rf", "data")
    assert not (clone.folder / "data").exists()


def test_a_clone_that_others_may_not_read_is_refused_by_name() -> None:
    """Airflow would find no DAG in it, and say nothing."""
    for stack in a_clone():
        (stack.folder / "dags").chmod(0o700)
        stack.compose("build", "airflow-init")
        with pytest.raises(Failed, match="airflow-init"):
            stack.compose("up", "--detach", "--wait", "airflow-init")
        log = stack.compose("logs", "airflow-init")
        owner = stack.folder.stat().st_uid
        assert f"dags cannot be read by user 50000, whom Airflow runs as: set LAKEJOBS_UID={owner} in .env" in log
        stack.set_env(LAKEJOBS_UID=str(owner))
        stack.compose("up", "--detach", "airflow-init")
        assert stack.run("docker", "wait", stack.container("airflow-init")).stdout.strip() == "0"
