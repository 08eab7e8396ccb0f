"""`airflow-ready.py URL DAG` exits with 0 as soon as all parts of an Airflow are healthy and the DAG has been read; with
1 when that is not so for ten seconds."""

import json
import sys
import time
import urllib.request

base, dag = sys.argv[1:]


def call(path: str, body: object = None, token: str = "") -> dict:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(base + path, data, headers), timeout=5) as response:
        return json.load(response)


def is_ready() -> bool:
    health = call("/api/v2/monitor/health")
    if any(health[part]["status"] != "healthy" for part in ("metadatabase", "scheduler", "dag_processor")):
        return False
    token = call("/auth/token", {"username": "admin", "password": "admin"})["access_token"]
    return call(f"/api/v2/dags/{dag}", token=token)["dag_id"] == dag


for _ in range(10):
    try:
        if is_ready():
            sys.exit(0)
    except (OSError, KeyError, ValueError):
        pass
    time.sleep(1)
sys.exit(1)
