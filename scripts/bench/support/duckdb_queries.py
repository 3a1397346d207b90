"""Times statements on DuckDB: one JSON object in on standard input, one out on standard output."""

import json
import sys
import time

import duckdb


def main() -> None:
    """Makes the views, runs every statement, and says how long each took and how many rows it gave."""
    task = json.load(sys.stdin)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {int(task['threads'])}")
    for view in task["views"]:
        connection.execute(view)
    answers = []
    for statement in task["statements"]:
        started = time.perf_counter()
        rows = connection.execute(statement).fetchall()
        milliseconds = (time.perf_counter() - started) * 1000
        first = rows[0][-1] if rows else None
        answers.append({"milliseconds": milliseconds, "rows": len(rows), "last": str(first)})
    json.dump({"version": duckdb.__version__, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main()
