"""`lakejobs verify` beside DuckDB and PostgreSQL's COPY on the same rows; asserts nothing: bounds are for an idle machine."""

from common import arguments, machine, table
from export.servers import postgres
from verify_rows import rows_of_verify


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of the large table (default 5 M)")
    parser.add_argument("--scale", type=float, default=0.5, help="scale factor of TPC-H's lineitem (default 0.5: 3 M rows)")
    parser.add_argument("--rounds", type=int, default=5, help="medians of so many (default 5)")
    options = parser.parse_args()
    with postgres(options.cache, options.work) as server:
        results = rows_of_verify(server, options)
    print(f"\n{machine()}, {options.rows:,} rows, lineitem of scale {options.scale}, medians of {options.rounds}\n")
    header = ["", "seconds", "CPU seconds", "beside", "ratio", "CPU ratio", "bound", "of the limit", "CPU of the limit", "peak MB"]
    print(table(header, results, options.markdown))


main()
