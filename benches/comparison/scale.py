"""Polls of many sources: start of the daemon, memory, polls per second and CPU time of a poll. The document has no items,
so that only the polls are measured."""

import time

import measure
from documents import address_of
from newsfold import Newsfold

# Overdue sources are spread over the interval at startup. The average interval is long, so that a source is polled once.
SETTINGS = """
[poll]
interval = "1s"
average_interval = "12h"
"""


def run(folder, nginx, options):
    rows = []
    for count in map(int, options.sources.split(",")):
        newsfold = Newsfold(folder / str(count), settings=SETTINGS)
        imported = newsfold.import_sources(nginx.url(address_of(number), "empty.xml") for number in range(count))
        newsfold.sql("UPDATE source SET next_poll_at = next_poll_at + 86400000")
        started = newsfold.start()
        idle = measure.memory(newsfold.process.pid, "VmRSS")
        newsfold.stop()
        newsfold.sql("UPDATE source SET next_poll_at = next_poll_at - 86400000")
        first = poll(newsfold, count, options.seconds)
        # Only sources that have been read have validators.
        newsfold.sql("UPDATE source SET next_poll_at = iif(last_poll_at IS NULL, next_poll_at + 86400000, 0)")
        count_polled = newsfold.sql("SELECT count(*) FROM source WHERE last_poll_at IS NOT NULL")
        second = poll(newsfold, count_polled, options.seconds)
        rows.append([f"{count:,}", f"{imported.elapsed:.1f} s", f"{started:.2f} s", f"{idle:.0f} MB", *first, *second])
    head = ["sources", "import", "start", "idle", "polls/s (200)", "CPU per poll", "peak memory",
            "polls/s (304)", "CPU per poll", "peak memory"]
    measure.print_table("Sources without items", head, rows)


def poll(newsfold, count, seconds):
    """Runs the daemon until it has recorded `count` polls, or for a number of seconds."""
    before = newsfold.sql("SELECT coalesce(max(id), 0) FROM poll")
    newsfold.start()
    start, cpu_before = time.monotonic(), measure.cpu_seconds(newsfold.process.pid)
    first = polled(newsfold, before)
    while polled(newsfold, before) < count and time.monotonic() - start < seconds:
        time.sleep(0.05)
    polls, elapsed = polled(newsfold, before) - first, time.monotonic() - start
    cpu = measure.cpu_seconds(newsfold.process.pid) - cpu_before
    memory = measure.memory(newsfold.process.pid, "VmHWM")
    newsfold.stop()
    return [f"{polls / elapsed:,.0f}", f"{cpu / polls * 1000:.2f} ms", f"{memory:.0f} MB"]


def polled(newsfold, before):
    return newsfold.sql("SELECT coalesce(max(id), 0) FROM poll") - before
