"""Commands beside one another, in one run: medians of several rounds."""

import statistics
from dataclasses import dataclass

from common import Measured, measure


@dataclass(frozen=True)
class Command:
    words: list[str]
    environment: dict[str, str]


def side_by_side(commands: dict[str, Command], rounds: int) -> dict[str, Measured]:
    """Each command once a round, so that what slows the machine down slows all of them; medians of each number."""
    runs: dict[str, list[Measured]] = {name: [] for name in commands}
    for turn in range(rounds if rounds == 1 else rounds + 1):
        for name, command in commands.items():
            run = measure(command.words, command.environment)
            # The first one of several finds nothing in the system's cache.
            if turn > 0 or rounds == 1:
                runs[name].append(run)
    return {
        name: Measured(
            statistics.median(run.seconds for run in own),
            statistics.median(run.cpu_seconds for run in own),
            max(run.peak_bytes for run in own),
        )
        for name, own in runs.items()
    }
