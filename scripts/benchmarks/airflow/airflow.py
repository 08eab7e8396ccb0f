"""
What Airflow adds to a job: the time of its task, less the bare job's, less that of a task that runs `true`.

All three take turns. Task times are Airflow's own, from the worker's start of the task to its end.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import statistics
import subprocess
import time
from pathlib import Path

from local_airflow import ROOT, LocalAirflow, free_port, worker_environment

parser = argparse.ArgumentParser(prog="scripts/bench airflow", description=__doc__)
parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
parser.add_argument("--runs", type=int, default=11, help="runs, of which the first is not counted (default: 11)")
options = parser.parse_args()

dags = options.work / "dags"
shutil.copytree(ROOT / "dags", dags)
shutil.copy(Path(__file__).with_name("overhead_dag.py"), dags)


def bare_job() -> float:
    start = time.perf_counter()
    logs = str(options.work / "logs")
    command = ["node", str(ROOT / "dist/main.js"), "generate", "--replace", logs, "2024-09-16", "1", "10", "10"]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


times: dict[str, list[float]] = {"bare job": [], "task of `true`": [], "task of the job": []}
airflow = LocalAirflow(options.work / "airflow", free_port(), {**worker_environment(), "AIRFLOW_DAGS": str(dags)})
try:
    airflow.start()
    for _ in range(options.runs):
        times["bare job"].append(bare_job())
        run = airflow.trigger("overhead", {})
        assert airflow.finished("overhead", run) == "success"
        tasks = airflow.tasks("overhead", run)
        times["task of `true`"].append(tasks["nothing"]["duration"])
        times["task of the job"].append(tasks["job"]["duration"])
finally:
    airflow.stop(signal.SIGTERM)
    subprocess.run([str(ROOT / "scripts/airflow"), "--clean", "--folder", str(airflow.folder)], check=True)

medians = {name: statistics.median(values[1:]) for name, values in times.items()}
print("\n| | seconds, median |\n|---|---|")
for name, seconds in medians.items():
    print(f"| {name} | {seconds:.2f} |")
added = medians["task of the job"] - medians["bare job"] - medians["task of `true`"]
print(f"| added beyond both | {added:.2f} |")
