"""TPC-H's tables in a PostgreSQL that is kept: made by the package tpchgen-cli, beside tables of one type each."""

import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from export.servers import postgres, psql, reachable, url

TABLES = {
    "region": "r_regionkey integer NOT NULL, r_name char(25) NOT NULL, r_comment varchar(152)",
    "nation": "n_nationkey integer NOT NULL, n_name char(25) NOT NULL, n_regionkey integer NOT NULL, n_comment varchar(152)",
    "supplier": "s_suppkey bigint NOT NULL, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL, s_nationkey integer NOT NULL, "
    "s_phone char(15) NOT NULL, s_acctbal decimal(15,2) NOT NULL, s_comment varchar(101) NOT NULL",
    "customer": "c_custkey bigint NOT NULL, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL, c_nationkey integer NOT NULL, "
    "c_phone char(15) NOT NULL, c_acctbal decimal(15,2) NOT NULL, c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL",
    "part": "p_partkey bigint NOT NULL, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL, p_type varchar(25) NOT NULL, "
    "p_size integer NOT NULL, p_container char(10) NOT NULL, p_retailprice decimal(15,2) NOT NULL, p_comment varchar(23) NOT NULL",
    "partsupp": "ps_partkey bigint NOT NULL, ps_suppkey bigint NOT NULL, ps_availqty bigint NOT NULL, ps_supplycost decimal(15,2) NOT NULL, "
    "ps_comment varchar(199) NOT NULL",
    "orders": "o_orderkey bigint NOT NULL, o_custkey bigint NOT NULL, o_orderstatus char(1) NOT NULL, o_totalprice decimal(15,2) NOT NULL, o_orderdate date NOT NULL, "
    "o_orderpriority char(15) NOT NULL, o_clerk char(15) NOT NULL, o_shippriority integer NOT NULL, o_comment varchar(79) NOT NULL",
    "lineitem": "l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber bigint NOT NULL, "
    "l_quantity decimal(15,2) NOT NULL, l_extendedprice decimal(15,2) NOT NULL, l_discount decimal(15,2) NOT NULL, l_tax decimal(15,2) NOT NULL, "
    "l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL, "
    "l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL",
}
# Columns of one type, and none at all: how long processes take to start.
TYPES = {
    "decimals": "SELECT l_quantity, l_extendedprice, l_discount, l_tax FROM tpch.lineitem",
    "bigints": "SELECT l_orderkey, l_partkey, l_suppkey, l_linenumber FROM tpch.lineitem",
    "dates": "SELECT l_shipdate, l_commitdate, l_receiptdate, l_commitdate + 1 AS day FROM tpch.lineitem",
    "varchars": "SELECT l_comment FROM tpch.lineitem",
    "long varchars": "SELECT ps_comment FROM tpch.partsupp",
    "nothing": "SELECT l_orderkey FROM tpch.lineitem LIMIT 0",
}


def of_type(name: str) -> str:
    return f"types.{name.replace(' ', '_')}"


@contextlib.contextmanager
def loaded(cache: pathlib.Path, work: pathlib.Path, scale: float) -> Iterator[tuple[dict[str, str], pathlib.Path]]:
    """The server's environment and folder. The first run loads the tables; they stay in the cache, or in the system's temporary
    folder where PostgreSQL's user cannot reach the cache."""
    folder = (cache if reachable(cache) else pathlib.Path(tempfile.gettempdir(), "lakejobs-bench")) / f"tpch-{scale:g}"
    folder.parent.mkdir(exist_ok=True)
    complete = folder / "complete"
    if not complete.exists():
        shutil.rmtree(folder, ignore_errors=True)
    with postgres(cache, work, kept=folder) as server:
        if not complete.exists():
            load(server, scale)
            complete.touch()
        yield server, folder


def load(server: dict[str, str], scale: float) -> None:
    psql(server, "CREATE SCHEMA tpch", "CREATE SCHEMA types")
    for name, columns in TABLES.items():
        psql(server, f"CREATE TABLE tpch.{name} ({columns})")
        generate = [str(pathlib.Path(sys.executable).parent / "tpchgen-cli"), "csv", "-s", f"{scale:g}", f"--tables={name}", "--stdout"]
        generated = subprocess.Popen(generate, stdout=subprocess.PIPE)
        copy = ["psql", "--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", "-c", f"COPY tpch.{name} FROM STDIN (FORMAT csv, HEADER)", url(server)]
        subprocess.run(copy, stdin=generated.stdout, check=True)
        if generated.wait() != 0:
            sys.exit(f"failed: {' '.join(generate)}")
    for name, query in TYPES.items():
        psql(server, f"CREATE TABLE {of_type(name)} AS {query}")
    psql(server, "VACUUM ANALYZE", "CHECKPOINT")
