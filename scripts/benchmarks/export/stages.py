"""CPU time of an export by stage, from V8's profiles of its threads (node --cpu-prof)."""

import json
import pathlib
import re

from common import ROOT, arguments, machine, measure, table
from servers import postgres

# File by file, not as a bundle: a profile then tells what belongs to which.
LAKEJOBS = ["node", str(ROOT / "dist/modules/main.js")]

# The first that matches the function's file (relative to dist/modules/, or a package) and name says which stage a sample is of.
STAGES = [
    ("idle: waiting for the server", r" \(idle\)$"),
    ("garbage collection", r" \(garbage collector\)$"),
    ("connect and plan", r"^(postgres/(source|connection/(?!copy-socket)|snapshot|errors|identifiers)|export/(?!read/|write/)|pg/|pg-)"),
    ("read and decode", r"^(postgres/|node:(net|internal/stream_base))"),
    ("partition", r"^(export/read/(gather|partitioner)|iceberg/(partition-rows|transform))"),
    ("fingerprint", r"^provenance/(fingerprint|row-hash)"),
    ("encode", r"^(parquet/(?!file|footer|schema)|export/read/encode|snappy/)"),
    ("write", r"^(parquet/|export/write|storage/|node:(fs|internal/fs))"),
    ("commit", r"^(iceberg/|avsc/)"),
    ("hand over between threads", r"^(export/read/|node:internal/worker)"),
    ("start, load, other", r""),
]


def place(url: str) -> str:
    path = url.removeprefix(f"file://{ROOT}/dist/modules/")
    return path.rsplit("/node_modules/", 1)[-1].replace("node:internal/modules", "node:modules")


def stage_of(frame: dict) -> str:
    text = f"{place(frame['url'])} {frame['functionName']}"
    return next(stage for stage, pattern in STAGES if re.search(pattern, text))


def add(profile: dict, seconds: dict[str, float]) -> None:
    nodes = {node["id"]: node for node in profile["nodes"]}
    caller = {child: node["id"] for node in profile["nodes"] for child in node.get("children", [])}

    def stage(node: int) -> str:
        """The kernel's functions have no file: they are part of what calls them."""
        while nodes[node]["callFrame"]["url"].startswith("wasm:"):
            node = caller[node]
        return stage_of(nodes[node]["callFrame"])

    stages = {node: stage(node) for node in nodes}
    for node, delta in zip(profile["samples"], profile["timeDeltas"]):
        seconds[stages[node]] += delta / 1e6


def run(name: str, flags: list[str], server: dict[str, str], work: pathlib.Path) -> dict[str, float]:
    folder = work / name
    own = {"WAREHOUSE": str(folder / "iceberg"), "PARQUET_LOCATION": str(folder / "parquet"), "ICEBERG_CATALOG_NAME": name}
    profiler = ["--cpu-prof", "--cpu-prof-interval", "500", "--cpu-prof-dir", str(folder / "profiles")]
    command = ["node", *profiler, *LAKEJOBS[1:], "export", *flags, "--log-level", "warn"]
    measure(command, {**server, **own})
    seconds = {stage: 0.0 for stage, _ in STAGES}
    for path in (folder / "profiles").iterdir():
        add(json.loads(path.read_text()), seconds)
    return seconds


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of web_logs (default 5 M)")
    options = parser.parse_args()
    variants = {
        "one connection": ["--format", "iceberg", "--connections", "1"],
        "two connections": ["--format", "iceberg", "--connections", "2"],
        "by day": ["--format", "iceberg", "--connections", "2", "--partition-by", "day(timestamp)"],
        "both formats": ["--connections", "2"],
    }
    with postgres(options.cache, options.work) as server:
        measure([*LAKEJOBS, "seed", "--rows", str(options.rows), "--log-level", "warn"], server)
        columns = [run(name, flags, server, options.work) for name, flags in variants.items()]
    print(f"\n{machine()}, {options.rows:,} rows; seconds of all threads together\n")
    rows = [[stage, *(f"{column[stage]:.2f}" for column in columns)] for stage, _ in STAGES]
    print(table(["stage", *variants], rows, options.markdown))


main()
