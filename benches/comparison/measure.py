"""Measurements of processes: elapsed time, CPU time and memory. Uses /proc."""

import dataclasses
import os
import pathlib
import socket
import statistics
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Usage:
    """Seconds since the start, CPU seconds, and peak memory in MB."""

    elapsed: float
    cpu: float
    memory: float


def cpu_seconds(process_id):
    fields = pathlib.Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def memory(process_id, field):
    """VmRSS (now) or VmHWM (peak), in MB."""
    for line in pathlib.Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"process {process_id} has no {field}")


def usage(process_id, start):
    return Usage(time.monotonic() - start, cpu_seconds(process_id), memory(process_id, "VmHWM"))


def run(command, milestone=None, **options):
    """Runs a command that must succeed. Returns its usage at its end, and its usage when
    `milestone` first returned true."""
    start, reached = time.monotonic(), None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)
    while True:
        ended, status, resources = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if milestone and not reached and milestone():
            reached = usage(process.pid, start)
        time.sleep(0.01)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command}: exit {process.returncode}\n{process.stderr.read()}")
    total = Usage(time.monotonic() - start, resources.ru_utime + resources.ru_stime, resources.ru_maxrss * 1024 / 1e6)
    return total, reached or total


def wait_until(what, condition, seconds=60, interval=0.01):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not reached within {seconds} s: {what}")
        time.sleep(interval)


def median(usages):
    names = [field.name for field in dataclasses.fields(Usage)]
    return Usage(*(statistics.median(getattr(usage, name) for usage in usages) for name in names))


def free_port():
    with socket.socket() as free:
        # A port that is free on all addresses, because nginx listens on all of them.
        free.bind(("0.0.0.0", 0))
        return free.getsockname()[1]


def print_table(title, head, rows):
    print(f"\n{title}\n")
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |", flush=True)
