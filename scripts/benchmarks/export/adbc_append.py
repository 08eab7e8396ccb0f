"""ADBC's PostgreSQL driver into Arrow, appended by PyIceberg."""

import sys

import adbc_driver_postgresql.dbapi
from pyiceberg_table import create_table

source, folder = sys.argv[1:]
with adbc_driver_postgresql.dbapi.connect(source) as connection, connection.cursor() as cursor:
    cursor.execute("SELECT user_id, url, response_time, status_code, timestamp FROM public.web_logs")
    rows = cursor.fetch_arrow_table()
create_table(folder, rows.schema).append(rows)
