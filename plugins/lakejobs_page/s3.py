"""The same of an object store, with the settings of the jobs; of one that is away it is said soon."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lakejobs_page.faults import Missing, Unreadable


def names(place: str) -> list[str]:
    """Of the objects directly below `s3://bucket/prefix`."""
    bucket, prefix = _parts(place)
    with _told(place):
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        return [entry["Key"].removeprefix(prefix) for page in pages for entry in page.get("Contents", ())]


def read(place: str, name: str, most: int) -> bytes:
    """At most so many bytes of an object."""
    bucket, prefix = _parts(place)
    with _told(place):
        return _client().get_object(Bucket=bucket, Key=prefix + name)["Body"].read(most)


def _parts(place: str) -> tuple[str, str]:
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    return bucket, f"{prefix}/" if prefix else ""


@contextmanager
def _told(place: str) -> Iterator[None]:
    """Whatever boto3 raises as Missing or Unreadable."""
    try:
        yield
    except ImportError:
        raise Unreadable(f"{place} cannot be read: install boto3 where Airflow's API server runs") from None
    except Exception as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
        if code == "NoSuchKey":
            raise Missing(place) from None
        # The text of an error may hold an address with a password; its name does not.
        raise Unreadable(
            f"{place} cannot be read ({code or type(error).__name__}): see S3_ENDPOINT and the credentials"
        ) from None


@functools.cache
def _client() -> Any:
    import boto3
    from botocore.config import Config

    env = os.environ
    key, secret = env.get("MINIO_ROOT_USER"), env.get("MINIO_ROOT_PASSWORD")
    return boto3.client(
        "s3",
        endpoint_url=env.get("S3_ENDPOINT") or None,
        region_name=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
        **({"aws_access_key_id": key, "aws_secret_access_key": secret} if key and secret else {}),
        config=Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"total_max_attempts": 2},
            **({"s3": {"addressing_style": "path"}} if env.get("S3_ENDPOINT") else {}),
        ),
    )
