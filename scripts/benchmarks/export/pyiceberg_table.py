"""A fresh Iceberg table in PyIceberg's SQL catalog (SQLite), in a folder."""

import pathlib

import pyarrow
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table


def create_table(folder: str, schema: pyarrow.Schema) -> Table:
    path = pathlib.Path(folder)
    path.mkdir()
    catalog = SqlCatalog("benchmark", uri=f"sqlite:///{path}/catalog.db", warehouse=f"file://{path}")
    catalog.create_namespace("default")
    return catalog.create_table("default.web_logs", schema)
