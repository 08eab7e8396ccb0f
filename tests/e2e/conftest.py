from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rest import Airflow
from stack import Stack, copy_of_repository


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all tests: they run in the order in which they are written, each on what the ones before have left."""
    stack = copy_of_repository(tmp_path_factory.mktemp("lakejobs"))
    try:
        yield stack
    finally:
        stack.compose("--profile", "*", "down", "--volumes", "--timeout", "10", check=False)
        images = [stack.env(f"LAKEJOBS_{kind}IMAGE") for kind in ("", "AIRFLOW_", "FILTER_")]
        stack.run("docker", "image", "rm", "--force", f"{stack.name}/test", *images, check=False)
        # Containers have written there as another user.
        stack.run("chmod", "-R", "u+rwX", str(stack.folder), check=False)


@pytest.fixture(scope="session")
def airflow(stack: Stack) -> Airflow:
    return Airflow(f"http://127.0.0.1:{stack.env('AIRFLOW_PORT')}")


@pytest.fixture(scope="session")
def crud_logs() -> Path:
    """Real logs and their expected result, where they are."""
    folder = Path(__file__).resolve().parents[3] / "shared/data/crud-logs"
    if not folder.is_dir():
        # A user's clone has no ../shared (operations-spec §5.1).
        pytest.skip("the folder of real logs is not here")
    return folder


@pytest.fixture(scope="session")
def note(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Measurements, printed beside the tests."""
    terminal = pytestconfig.pluginmanager.getplugin("terminalreporter")
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def write(text: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(f"  {text}")

    return write
