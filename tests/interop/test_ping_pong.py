"""Ours, PyIceberg and Spark take turns on one table. `LAKEJOBS_PING_PONG=SEED,STEPS` for others than the usual few
(scripts/campaign ping-pong)."""

from __future__ import annotations

import os

from pyiceberg.catalog import Catalog

from lake import Lake
from ping_pong import PingPong
from readers import DuckDB, Spark


def test_ping_pong(lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB) -> None:
    seed, steps = map(int, os.environ.get("LAKEJOBS_PING_PONG", "6,20").split(","))
    print(f"ping-pong: seed {seed}, {steps} steps")
    game = PingPong(lake, catalog, spark, duck, seed, "pingpong.table", "ping_pong", lambda line: print(line, flush=True))
    for _ in range(steps):
        game.step()
    game.check(everyone=True)
    print(f"{steps} steps, {len(game.past)} snapshots, {len(game.state.rows)} rows: {game.counts}")
