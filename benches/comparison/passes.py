"""The first pass over all feeds, and a second one in which every response is 304: newsfold, newsboat and `reader`, with
the same number of simultaneous requests."""

import os
import shutil
import sqlite3

import measure
from documents import ITEMS_PER_FEED, address_of
from newsfold import Newsfold

CONCURRENCY = 32
READER = f"""
import sys, reader
database, urls = sys.argv[1:]
reader = reader.make_reader(database)
for url in open(urls):
    reader.add_feed(url.strip(), exist_ok=True)
reader.update_feeds(workers={CONCURRENCY}, scheduled=False)
"""


def run(folder, nginx, options):
    urls = [nginx.url(address_of(number), "feed.xml") for number in range(options.feeds)]
    programs = {"newsfold": NewsfoldPasses}
    if shutil.which("newsboat"):
        programs["newsboat"] = NewsboatPasses
    else:
        print("SKIPPED: newsboat, because it is not installed")
    if os.path.exists(os.environ["READER_PYTHON"]):
        programs["reader"] = ReaderPasses
    else:
        print("SKIPPED: reader, because it is not installed")
    first, second = {}, {}
    for round in range(options.rounds):
        for name, program in programs.items():
            passes = program(folder / f"{name}-{round}", urls)
            for usages, poll in ((first, passes.poll), (second, passes.poll)):
                requests = nginx.requests()
                for part, usage in poll().items():
                    usages.setdefault(part, []).append(usage)
                requests = nginx.requests() - requests - 1
                if requests != len(urls):
                    print(f"{name} sent {requests} requests for {len(urls)} feeds")
            if passes.items() != len(urls) * ITEMS_PER_FEED:
                print(f"{name} stored {passes.items()} of {len(urls) * ITEMS_PER_FEED} items")
            shutil.rmtree(passes.folder)
    print_passes("First pass", first)
    print_passes("Second pass: all responses are 304", second)


def print_passes(title, usages):
    medians = {part: measure.median(all) for part, all in usages.items()}
    stored = medians["newsfold: fetched, parsed, stored"]
    rows = [
        [part, f"{usage.elapsed:.1f} s", f"{usage.cpu:.1f} s", f"{usage.memory:.0f} MB",
         f"{usage.elapsed / stored.elapsed:.2f}", f"{usage.cpu / stored.cpu:.2f}"]
        for part, usage in medians.items()
    ]
    head = ["program", "time", "CPU time", "peak memory", "time, relative to the first row", "CPU time, relative"]
    measure.print_table(title, head, rows)


class NewsfoldPasses:
    def __init__(self, folder, urls):
        self.folder, self.count, self.newsfold = folder, len(urls), Newsfold(folder)
        self.newsfold.import_sources(urls)

    def poll(self):
        target = self.newsfold.polls() + self.count
        total, stored = self.newsfold.command("source", "poll", "--all", milestone=lambda: self.newsfold.polls() >= target)
        return {"newsfold: fetched, parsed, stored": stored, "newsfold: also grouped and published": total}

    def items(self):
        return self.newsfold.sql("SELECT count(*) FROM item")


class NewsboatPasses:
    def __init__(self, folder, urls):
        folder.mkdir()
        self.folder = folder
        (folder / "urls").write_text("".join(url + "\n" for url in urls))
        (folder / "config").write_text(f"reload-threads {CONCURRENCY}\n")

    def poll(self):
        files = [f"-{option}{self.folder / name}" for option, name in (("u", "urls"), ("c", "cache.db"), ("C", "config"))]
        environment = {**os.environ, "HOME": str(self.folder), "LANG": "C.UTF-8", "TERM": "dumb"}
        return {"newsboat": measure.run(["newsboat", "-q", *files, "-x", "reload"], env=environment)[0]}

    def items(self):
        return sqlite3.connect(self.folder / "cache.db").execute("SELECT count(*) FROM rss_item").fetchone()[0]


class ReaderPasses:
    def __init__(self, folder, urls):
        folder.mkdir()
        self.folder = folder
        (folder / "urls").write_text("".join(url + "\n" for url in urls))

    def poll(self):
        command = [os.environ["READER_PYTHON"], "-c", READER, self.folder / "reader.db", self.folder / "urls"]
        return {"reader": measure.run(command)[0]}

    def items(self):
        return sqlite3.connect(self.folder / "reader.db").execute("SELECT count(*) FROM entries").fetchone()[0]
