"""The all-types table: its columns, its rows as PostgreSQL has them, and a reader's rows in the same words."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow

from lake import Lake

SQL = Path(__file__).with_name("all_types.sql").read_text()

# Columns of the table and, where psycopg2 would not give the exact value, how they are asked for.
COLUMNS = {
    "id": "id", "bool": "bool", "int2": "int2", "int4": "int4", "int8": "int8",
    "float4": "float4::float8", "float8": "float8",
    "dec9": "dec9", "dec18": "dec18", "dec38": "dec38", "dec_integer": "dec_integer", "dec_fraction": "dec_fraction",
    # Not cast: PostgreSQL takes the padding off when char(n) becomes text.
    "text": "text", "varchar": "varchar", "char": "char", "mood": "mood::text",
    "json": "json::text", "jsonb": "jsonb::text",
    "bytea": "bytea", "uuid": "uuid::text",
    "date": "date", "time": "time", "timestamp": "timestamp", "timestamptz": "timestamptz",
    "ints": "ints", "texts": "texts", "decs": "decs", "dates": "dates",
}
WITHOUT_TIME = [name for name in COLUMNS if name != "time"]

ICEBERG_TYPES = {
    "id": "int", "bool": "boolean", "int2": "int", "int4": "int", "int8": "long", "float4": "float", "float8": "double",
    "dec9": "decimal(9, 2)", "dec18": "decimal(18, 6)", "dec38": "decimal(38, 10)", "dec_integer": "decimal(38, 0)",
    "dec_fraction": "decimal(3, 3)",
    "text": "string", "varchar": "string", "char": "string", "mood": "string", "json": "string", "jsonb": "string",
    "bytea": "binary", "uuid": "uuid", "date": "date", "time": "time",
    "timestamp": "timestamp", "timestamptz": "timestamptz",
    "ints": "list<int>", "texts": "list<string>", "decs": "list<decimal(20, 2)>", "dates": "list<date>",
}


def source_rows(lake: Lake, columns: list[str]) -> list[dict[str, Any]]:
    wanted = ", ".join(f'{COLUMNS[name]} AS "{name}"' for name in columns)
    rows = lake.source_rows(f"SELECT {wanted} FROM all_types ORDER BY id")
    return [{name: exact(value) for name, value in zip(columns, row, strict=True)} for row in rows]


def reader_rows(table: pyarrow.Table) -> list[dict[str, Any]]:
    uuids = table.schema.get_field_index("uuid")
    # Readers differ: text, 16 bytes or Arrow's extension type.
    storage = table.column(uuids).combine_chunks()
    if isinstance(storage, pyarrow.ExtensionArray):
        table = table.set_column(uuids, "uuid", storage.storage)
    rows = sorted(table.to_pylist(), key=lambda row: row["id"])
    return [{name: exact(value, name == "uuid") for name, value in row.items()} for row in rows]


def exact(value: Any, is_uuid: bool = False) -> Any:
    """Equal only if the values are the same to the last bit."""
    match value:
        case float():
            return "NaN" if value != value else struct.pack(">d", value).hex()
        case Decimal():
            return str(value.normalize()) if value else "0"
        case list():
            return [exact(one) for one in value]
        case memoryview():
            return bytes(value)
        case bytes() if is_uuid:
            return str(UUID(bytes=value))
        case UUID():
            return str(value)
        case datetime() if value.tzinfo is not None:
            # Not astimezone(): it fails at the ends of the years that Python knows.
            assert value.utcoffset() == timedelta(0), "not UTC"
            return value.replace(tzinfo=timezone.utc)
    return value
