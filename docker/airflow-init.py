"""Prepares what Airflow's containers share, then migrates the database. Runs before them, at each `up`.

The random secrets are made once and kept in the volume; the address of the database and the password of the login
follow the environment. Airflow reads them through its AIRFLOW__..._CMD settings.
"""

import base64
import json
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import quote

os.umask(0o007)
folder = Path("/opt/airflow/secrets")
dags = Path("/opt/airflow/dags")
plugins = Path("/opt/airflow/plugins")


def write(name: str, text: str) -> None:
    """Replaces the file at once: another user of the group may have written the one before."""
    incoming = folder / f".{name}"
    incoming.write_text(text)
    incoming.replace(folder / name)


def refuse_unreadable() -> None:
    """Airflow finds no DAG, and no error either, in a folder that it may not read: a clone made with umask 077."""
    for path in (dags, *sorted(dags.rglob("*")), plugins, *sorted(plugins.rglob("*"))):
        if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            owner = path.stat().st_uid
            sys.exit(
                f"airflow-init: {path.relative_to('/opt/airflow')} cannot be read by user {os.getuid()}, whom Airflow "
                f"runs as: set LAKEJOBS_UID={owner} in .env, or chmod -R a+rX dags plugins; then docker compose up again"
            )
    if not any(dags.glob("*.py")):
        sys.exit("airflow-init: there is no DAG in ./dags: call Docker Compose where the clone is")


refuse_unreadable()
for name in ("fernet_key", "jwt_secret", "secret_key"):
    if not (folder / name).exists():
        write(name, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

password = quote(os.environ["AIRFLOW_POSTGRES_PASSWORD"], safe="")
write("sql_alchemy_conn", f"postgresql+psycopg2://airflow:{password}@airflow-postgres:5432/airflow")
write("passwords.json", json.dumps({os.environ["AIRFLOW_USER"]: os.environ["AIRFLOW_PASSWORD"]}))

os.execv("/entrypoint", ["/entrypoint", "db", "migrate"])
