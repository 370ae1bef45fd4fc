"""What the scripts of the peers share: rates and times, printed as one line of JSON: rows of {row, unit, values}."""

import json
import sys
import time

QUICK = "--quick" in sys.argv
SECONDS = 0.1 if QUICK else 1.0
TIMES = 1 if QUICK else 3

rows = []


def note(row, unit, values):
    rows.append({"row": row, "unit": unit, "values": values})


def rate(row, count, call):
    """Notes how often a second `call` does `count` things, in stretches after one that warms up."""
    values = []
    for _ in range(TIMES + 1):
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            call()
            done += count
        values.append(done / (time.perf_counter() - start))
    note(row, "/s", values[1:])


def finish():
    print(json.dumps(rows))
