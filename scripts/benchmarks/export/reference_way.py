"""What lakejobs replaces: SQLAlchemy's fetchall, pandas, pyarrow, PyIceberg."""

import sys

import pandas
import pyarrow
import sqlalchemy
from pyiceberg_table import create_table

source, folder = sys.argv[1:]
engine = sqlalchemy.create_engine(source.replace("postgresql://", "postgresql+psycopg2://"))
with engine.connect() as connection:
    result = connection.execute(sqlalchemy.text("SELECT user_id, url, response_time, status_code, timestamp FROM public.web_logs"))
    frame = pandas.DataFrame(result.fetchall(), columns=list(result.keys()))
frame["timestamp"] = frame["timestamp"].astype("datetime64[us, UTC]")
rows = pyarrow.Table.from_pandas(frame, preserve_index=False)
create_table(folder, rows.schema).append(rows)
