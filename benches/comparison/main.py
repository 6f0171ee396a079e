"""Prints tables that compare newsfold with other programs. Started by run.

    main.py [--tables NAME,NAME] [--feeds N] [--rounds N] [--sources N,N] [--seconds N] [--corpus DIR]

All programs of a table run alternately on the same machine, and the ratio of their medians is printed. The documents and
databases are in a temporary directory."""

import argparse
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile

import burst
import daemon
import documents
import passes
import scale
import serving
from nginx import Nginx
from newsfold import BINARY

TABLES = {
    "passes": passes.run,
    "daemon": daemon.run,
    "serving": serving.run,
    "burst": burst.run,
    "scale": scale.run,
}


def print_machine():
    """Prints the machine and the versions of the programs."""
    models = {line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")}
    memory = int(open("/proc/meminfo").readline().split()[1]) // 1024**2
    processors = pathlib.Path("/proc/cpuinfo").read_text().count("processor\t")
    print(f"{processors} × {', '.join(models)}, {memory} GiB, {platform.system()} {platform.release()}")
    for command in ([BINARY, "--version"], ["nginx", "-v"], ["newsboat", "-v"], ["wrk", "-v"]):
        if shutil.which(command[0]):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            print(done.stdout.splitlines()[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", default=",".join(TABLES), help=f"default: {','.join(TABLES)}")
    parser.add_argument("--feeds", type=int, default=1000, help="the number of feeds, of 20 items each")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs")
    parser.add_argument("--sources", default="1000,10000,100000", help="the numbers of sources for the table scale")
    parser.add_argument("--seconds", type=int, default=60, help="the maximum duration of a measurement of polls")
    default_corpus = pathlib.Path(__file__).resolve().parents[2] / "../shared/corpus"
    parser.add_argument("--corpus", type=pathlib.Path, default=default_corpus, help="a directory with feeds")
    options = parser.parse_args()
    # nginx and the daemon are stopped in this case, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    print_machine()
    if not shutil.which("nginx"):
        sys.exit("SKIPPED: all tables, because nginx is not installed")
    with tempfile.TemporaryDirectory(prefix="newsfold-bench-") as folder:
        scratch = pathlib.Path(folder)
        nginx = Nginx(scratch / "nginx")
        try:
            documents.write(nginx.feeds, options.feeds, options.corpus)
            for name in options.tables.split(","):
                (scratch / name).mkdir()
                TABLES[name](scratch / name, nginx, options)
        finally:
            nginx.stop()


main()
