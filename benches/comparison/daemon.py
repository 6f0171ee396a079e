"""Measures how long the running daemon takes, from the start of an import, to read the new sources and to publish their
stories."""

import time

import measure
from documents import address_of
from newsfold import Newsfold


def run(folder, nginx, options):
    newsfold = Newsfold(folder / "new")
    newsfold.start()
    rows = []
    try:
        start = time.monotonic()
        newsfold.import_sources(nginx.url(address_of(number), "feed.xml") for number in range(options.feeds))
        for milestone, condition in (
            ("imported", lambda: True),
            ("all read and stored", lambda: newsfold.polls() >= options.feeds),
            ("all grouped and published", newsfold.is_published),
        ):
            measure.wait_until(milestone, condition, seconds=600)
            usage = measure.usage(newsfold.process.pid, start)
            rows.append([milestone, f"{usage.elapsed:.1f} s", f"{usage.cpu:.1f} s", f"{usage.memory:.0f} MB"])
    finally:
        newsfold.stop()
    head = ["milestone", "time", "CPU time of the daemon", "peak memory"]
    measure.print_table(f"The daemon gets {options.feeds} new sources", head, rows)
