"""Reports in an object store: a real MinIO."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT
from local_airflow import free_port
from sample_reports import page

DAY = "2026-11-27"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A running server with a bucket `reports`; its endpoint."""
    obtain = [ROOT / "scripts/lib/obtain/minio"]
    binary = subprocess.run(obtain, check=True, capture_output=True, text=True).stdout.split()[-1]
    folder = tmp_path_factory.mktemp("minio")
    (folder / "bucket").mkdir()
    port = free_port()
    server = subprocess.Popen(
        [
            binary,
            "server",
            str(folder),
            "--address",
            f"127.0.0.1:{port}",
            "--console-address",
            f"127.0.0.1:{free_port()}",
        ],
        env={**os.environ, "MINIO_ROOT_USER": "minio", "MINIO_ROOT_PASSWORD": "canary-secret", "MINIO_UPDATE": "off"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    endpoint = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{endpoint}/minio/health/live", timeout=1).close()
            break
        except (OSError, urllib.error.URLError):
            assert server.poll() is None
            time.sleep(0.5)
    yield endpoint
    server.terminate()
    server.wait(30)


@pytest.fixture
def place(store, monkeypatch):
    from lakejobs_page import s3

    for name, value in {
        "LAKEJOBS_REPORTS": "s3://bucket/lake/reports",
        "S3_ENDPOINT": store,
        "MINIO_ROOT_USER": "minio",
        "MINIO_ROOT_PASSWORD": "canary-secret",
    }.items():
        monkeypatch.setenv(name, value)
    s3._client.cache_clear()
    yield s3._client()
    s3._client.cache_clear()


def test_reports_of_a_store_are_served_like_those_of_a_folder(api, sign_in, place):
    # More than one answer of the store lists.
    for number in range(1100):
        place.put_object(Bucket="bucket", Key=f"lake/reports/old/{number}", Body=b"")
    for key in (f"lake/reports/{DAY}.html", "lake/reports/sub/2026-11-28.html", "lake/2026-11-29.html"):
        place.put_object(Bucket="bucket", Key=key, Body=page(DAY).encode())
    said = api.get("/lake/api/days", headers=sign_in("viewer")).json()
    assert (said["place"], said["days"]) == ("s3://bucket/lake/reports", [DAY])
    assert api.get(f"/lake/report/{DAY}", headers=sign_in("viewer")).text == page(DAY)
    assert api.get("/lake/report/2026-11-28", headers=sign_in("viewer")).status_code == 404


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("LAKEJOBS_REPORTS", "s3://no-such-bucket/x", "(NoSuchBucket)"),
        ("MINIO_ROOT_PASSWORD", "canary-other", "(SignatureDoesNotMatch)"),
        ("MINIO_ROOT_USER", "nobody", "(InvalidAccessKeyId)"),
    ],
)
def test_what_a_store_refuses_is_said_without_its_secrets(api, sign_in, place, monkeypatch, setting, value, said):
    from lakejobs_page import s3

    monkeypatch.setenv(setting, value)
    s3._client.cache_clear()
    for path in ("api/days", f"report/{DAY}"):
        answer = api.get(f"/lake/{path}", headers=sign_in("viewer"))
        assert answer.status_code == 503
        assert said in answer.json()["detail"] and "canary" not in answer.text
