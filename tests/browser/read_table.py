"""A table's rows as JSON, read by PyIceberg, which knows the settings of jobs and nothing of us."""

import json
import os
import sys
from urllib.parse import quote

from pyiceberg.catalog import load_catalog

user, password, host, port, database = (
    quote(os.environ[f"ICEBERG_POSTGRES_{name}"], safe="") for name in ("USER", "PASSWORD", "HOST", "PORT", "DB")
)
catalog = load_catalog(
    os.environ.get("ICEBERG_CATALOG_NAME") or "local",
    type="sql",
    uri=f"postgresql+psycopg2://{user}:{password}@{host}:{port}/{database}",
    warehouse=os.environ["WAREHOUSE"],
    init_catalog_tables="false",
)
print(json.dumps(catalog.load_table(sys.argv[1]).scan().to_arrow().to_pylist()))
