"""The feed `all` of a daemon with stories, and nginx with files of the same bytes. `wrk` measures both alternately."""

import gzip
import re
import shutil
import statistics
import subprocess
import urllib.error
import urllib.request

import measure
from documents import address_of
from newsfold import Newsfold

CONNECTIONS = 32
SECONDS = 4
SOURCES = 50
# A run takes less time than a run of the other tables, so there are more runs.
PAIRS_PER_ROUND = 3


def run(folder, nginx, options):
    if not shutil.which("wrk"):
        print("SKIPPED: serving, because wrk is not installed")
        return
    newsfold = Newsfold(folder / "site")
    newsfold.import_sources(nginx.url(address_of(number), "feed.xml") for number in range(min(SOURCES, options.feeds)))
    newsfold.command("source", "poll", "--all")
    newsfold.start()
    try:
        measure.wait_until("all stories are published", newsfold.is_published)
        feed = newsfold.url("feeds/all.atom")
        plain, coded = fetch(feed), fetch(feed, {"Accept-Encoding": "gzip"})
        assert gzip.decompress(coded.read_body) == plain.read_body
        (nginx.copies / "all.atom").write_bytes(plain.read_body)
        (nginx.copies / "all.atom.gz").write_bytes(coded.read_body)
        copy = nginx.url("127.0.0.1", "copies/all.atom")
        programs = (
            (feed, lambda: measure.cpu_seconds(newsfold.process.pid)),
            (copy, nginx.cpu_seconds),
        )
        rows = [
            compare(f"200, {len(plain.read_body)} bytes", programs, {}, False, options),
            compare(f"200, gzip, {len(coded.read_body)} bytes", programs, {"Accept-Encoding": "gzip"}, False, options),
            compare("304", programs, {"Accept-Encoding": "gzip"}, True, options),
        ]
    finally:
        newsfold.stop()
    head = ["response", "newsfold", "nginx", "rate ratio", "99 % of newsfold", "99 % of nginx", "ratio", "CPU ratio"]
    title = f"Requests per second, {CONNECTIONS} connections (ratios: newsfold divided by nginx)"
    measure.print_table(title, head, rows)


def fetch(url, headers={}):
    """The response to a request, with the body in `read_body`."""
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers))
    except urllib.error.HTTPError as status:
        response = status
    response.read_body = response.read()
    return response


def compare(response, programs, headers, is_conditional, options):
    """A row of the table: medians of both programs, and medians of the ratios of each pair of runs."""
    pairs = []
    for _ in range(options.rounds * PAIRS_PER_ROUND):
        pairs.append([load(url, headers, is_conditional, cpu_seconds) for url, cpu_seconds in programs])
    column = lambda program, field: statistics.median(pair[program][field] for pair in pairs)
    ratio = lambda field: statistics.median(pair[0][field] / pair[1][field] for pair in pairs)
    return [
        response,
        f"{column(0, 'rate'):.0f}",
        f"{column(1, 'rate'):.0f}",
        f"{ratio('rate'):.2f}",
        f"{column(0, 'slowest'):.2f} ms",
        f"{column(1, 'slowest'):.2f} ms",
        f"{ratio('slowest'):.2f}",
        f"{ratio('cpu'):.2f}",
    ]


def load(url, headers, is_conditional, cpu_seconds):
    """Runs wrk. Returns the requests per second, the 99th percentile of the latency in ms, and the CPU time of a
    request."""
    if is_conditional:
        headers = {**headers, "If-None-Match": fetch(url, headers).headers["ETag"]}
    expected = 304 if is_conditional else 200
    assert fetch(url, headers).status == expected, url
    arguments = [argument for name, value in headers.items() for argument in ("-H", f"{name}: {value}")]
    before = cpu_seconds()
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", *arguments, url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in output and "Socket errors" not in output, output
    count = int(re.search(r"(\d+) requests in", output)[1])
    slowest, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
        "slowest": float(slowest) * {"us": 0.001, "ms": 1, "s": 1000}[unit],
        "cpu": (cpu_seconds() - before) / count,
    }
