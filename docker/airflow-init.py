"""Prepares what Airflow's containers share, then migrates the database. Runs before them, at each `up`.

The random secrets are made once and kept in the volume; the address of the database and the password of the login
follow the environment. Airflow reads them through its AIRFLOW__..._CMD settings.
"""

import base64
import json
import os
import secrets
from pathlib import Path
from urllib.parse import quote

os.umask(0o007)
folder = Path("/opt/airflow/secrets")


def write(name: str, text: str) -> None:
    """Replaces the file at once: another user of the group may have written the one before."""
    incoming = folder / f".{name}"
    incoming.write_text(text)
    incoming.replace(folder / name)


for name in ("fernet_key", "jwt_secret", "secret_key"):
    if not (folder / name).exists():
        write(name, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

password = quote(os.environ["AIRFLOW_POSTGRES_PASSWORD"], safe="")
write("sql_alchemy_conn", f"postgresql+psycopg2://airflow:{password}@airflow-postgres:5432/airflow")
write("passwords.json", json.dumps({os.environ["AIRFLOW_USER"]: os.environ["AIRFLOW_PASSWORD"]}))

os.execv("/entrypoint", ["/entrypoint", "db", "migrate"])
