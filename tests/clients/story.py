"""The scenario: a story grows from one outlet to nine, and then the title of its first report changes. After newsfold has
processed a step, every reader refreshes and marks unread entries as read. The test fails unless each reader shows the story as
exactly one entry, which is unread as often as expected. The script `run` starts it."""

import argparse
import collections
import concurrent.futures
import json
import math
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as xml

import outlets
import readers

ATOM = "{http://www.w3.org/2005/Atom}"
NAME = "Veshna"


class Newsfold:
    def __init__(self, binary, folder, doubling):
        folder.mkdir(parents=True)
        self.binary, self.folder = binary, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.config = folder / "newsfold.toml"
        self.config.write_text(f"""
database = "{folder}/newsfold.db"
[serve]
listen = "{self.address}"
[publish]
base_url = "http://{self.address}/"
delay = "0s"
{'min_update_interval = "0s"' if doubling else ''}
[poll]
interval = "1s"
average_interval = "1s"
[fetch]
allowed_networks = ["127.0.0.0/8"]
min_origin_delay = "0s"
[cluster]
recluster_interval = "0s"
""")

    def start(self):
        with open(self.folder / "newsfold.log", "a") as log:
            self.process = subprocess.Popen([self.binary, "--config", str(self.config), "serve"], stdout=log, stderr=log)
        wait_until("newsfold responds", lambda: self.get("healthz"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def command(self, *words):
        return readers.run([self.binary, "--config", str(self.config), *words])

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.address}/{path}", timeout=10) as answer:
                return answer.read()
        except (urllib.error.URLError, ConnectionError):
            return None

    def outlets_of_story(self):
        """Returns the number of outlets of the story as grouped by newsfold."""
        stories = json.loads(self.command("--json", "story", "list", "--limit", "100"))
        outlets_by_story = [{item["outlet"] for item in story["items"] if NAME in item["title"]} for story in stories]
        return max(map(len, outlets_by_story), default=0)

    def outlets_in_feed(self):
        """Returns the number of reports of the story in the live feed."""
        items = json.loads(self.get("feeds/all.json"))["items"]
        return max((len(item["_newsfold"]["reports"]) for item in items if NAME in item["title"]), default=0)


def wait_until(description, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"FAILED: timeout after {seconds} s, waiting until {description}")
        time.sleep(0.1)


def entry_of(document, form):
    """Returns the story's entries in a published feed, each as id, title, date of the last change, and whole entry."""
    if form == "json":
        found = [item for item in json.loads(document)["items"] if NAME in item["title"]]
        return [(i["id"], i["title"], i.get("date_modified"), json.dumps(i)) for i in found]
    root = xml.fromstring(document)
    prefix, entry, key = (ATOM, "entry", "id") if form == "atom" else ("", "item", "guid")
    found = [e for e in root.iter(prefix + entry) if NAME in e.findtext(prefix + "title")]
    return [(e.findtext(prefix + key), e.findtext(prefix + "title"), e.findtext(ATOM + "updated"), xml.tostring(e)) for e in found]


class Subscription:
    def __init__(self, kind, form, variant, newsfold, scratch):
        self.name = f"{kind.__name__} {form} {variant}"
        self.kind, self.form, self.variant = kind, form, variant
        file = f"all.{form}" if variant == "live" else f"all.stable.{form}"
        self.path = f"feeds/{file}"
        self.reader = kind(scratch / self.name.replace(" ", "-"), f"http://{newsfold.address}/{self.path}")
        self.unread = collections.Counter()
        self.when_unread, self.when_changed = [], []
        self.text = None
        self.error = None

    def refresh(self, step):
        try:
            self.reader.refresh()
            shown = self.reader.unread()
            entries = self.reader.entries()
            for _, title in shown:
                self.unread[NAME if NAME in title else title] += 1
            if any(NAME in title for _, title in shown):
                self.when_unread.append(step)
            self.reader.read([key for key, _ in shown])
            self.keys = [key for key, text in entries.items() if NAME in (str(key) + text)]
            text = "".join(sorted(entries[key] for key in self.keys))
            if self.text and text != self.text:
                self.when_changed.append(step)
            self.text = text or self.text
        except Exception as error:
            self.error = self.error or f"at step {step}: {error}"

    def faults(self, feed):
        """Returns the problems of a subscription, given the steps at which the published entry changed."""
        if self.error:
            return [self.error]
        expected_changes = len(feed["changed"]) if self.kind.unread_on_change and self.form not in self.kind.formats_without_changes else 0
        found = []
        times = self.unread[NAME]
        if times != 1 + expected_changes:
            found.append(f"the story was unread {times} times (at {self.when_unread}), expected {1 + expected_changes} times")
        wanted = 1 + (expected_changes if issubclass(self.kind, readers.Mailer) else 0)
        wanted += len(feed["titles"]) - 1 if self.kind.by_title else 0
        if len(self.keys) != wanted:
            found.append(f"the reader keeps {len(self.keys)} entries of the story, expected {wanted}")
        if (self.unread.total() - times, len(self.unread)) != (len(outlets.OWN), len(outlets.OWN) + 1):
            found.append(f"other entries were not unread exactly once: {dict(self.unread)}")
        return found


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--newsfold", required=True)
    arguments.add_argument("--scratch", required=True, type=pathlib.Path)
    arguments.add_argument("--policy", choices=["every", "doubling"], default="doubling",
                           help="when an entry changes: with every outlet (a version without editions), or at 2, 4 and 8")
    arguments.add_argument("--only", help="the names of readers in readers.py")
    options = arguments.parse_args()
    doubling = options.policy == "doubling"
    servers = outlets.Outlets(int(time.time()))
    newsfold = Newsfold(options.newsfold, options.scratch / "newsfold", doubling)
    for number in range(len(outlets.STORY)):
        newsfold.command("source", "add", "--no-fetch", "--outlet", f"outlet{number}.example", servers.url(number))
    newsfold.start()
    try:
        return play(options, doubling, servers, newsfold)
    finally:
        newsfold.stop()


def play(options, doubling, servers, newsfold):
    variants = ["live", "stable"]
    if newsfold.get("feeds/all.stable.atom") is None:
        print("SKIPPED: the stable variants, which this version of newsfold does not have")
        variants = ["live"]
    only = options.only.split(",") if options.only else None
    subscriptions = []
    for kind in readers.ALL:
        if only and kind.__name__ not in only:
            continue
        if why := kind.missing():
            print(f"SKIPPED: {kind.__name__}: {why}")
            continue
        for form in kind.formats:
            subscriptions += [Subscription(kind, form, variant, newsfold, options.scratch) for variant in variants]
    feeds = {(variant, form): {"seen": [], "changed": [], "ids": set(), "titles": set(), "dates": set()} for variant in variants for form in ("atom", "rss", "json")}

    def refresh_all(step):
        for (variant, form), feed in feeds.items():
            document = newsfold.get(f"feeds/all.{form}" if variant == "live" else f"feeds/all.stable.{form}")
            found = entry_of(document, form)
            if len(found) > 1:
                sys.exit(f"FAILED: {len(found)} entries for the story in {variant} {form} at step {step}")
            if found:
                key, title, date, text = found[0]
                feed["ids"].add(key)
                feed["titles"].add(title)
                feed["dates"].add(date)
                if feed["seen"] and feed["seen"][-1] != text:
                    feed["changed"].append(step)
                feed["seen"].append(text)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda subscription: subscription.refresh(step), subscriptions))

    own = len(outlets.OWN)
    wait_until("the outlets' own items are published", lambda: len(json.loads(newsfold.get("feeds/all.json"))["items"]) == own)
    refresh_all("0")
    for step in range(1, len(outlets.STORY) + 1):
        servers.step = step
        wait_until(f"the story has {step} outlets", lambda: newsfold.outlets_of_story() == step)
        expected = 2 ** int(math.log2(step)) if doubling else step
        wait_until(f"the feed shows {expected} outlets", lambda: newsfold.outlets_in_feed() == expected)
        # Dates have a resolution of one second, and an unexpected change takes time to appear.
        time.sleep(1.5)
        refresh_all(str(step))
        if step == 5:
            newsfold.stop()
            newsfold.start()
            refresh_all("restart")
        print(f"step {step} done", file=sys.stderr)
    servers.retitled = True
    wait_until("the feed shows the new title", lambda: outlets.RETITLED.encode() in newsfold.get("feeds/all.json"))
    time.sleep(1.5)
    refresh_all("retitled")

    failed = 0
    print("\nthe story's entry in each feed")
    for (variant, form), feed in feeds.items():
        print(f"  {variant:6} {form:4} ids {len(feed['ids'])}, titles {len(feed['titles'])}, dates of change {len(feed['dates'])},"
              f" bytes changed at {' '.join(feed['changed']) or 'no step'}")
        steps = [step for step in feed["changed"] if step != "retitled"]
        expected = [] if variant == "stable" else ["2", "4", "8"] if doubling else [str(n) for n in range(2, 10)]
        if steps != expected or variant == "stable" and feed["changed"] or len(feed["ids"]) != 1:
            print(f"    FAILED: expected one id, and changes at {' '.join(expected) or 'no step'}")
            failed += 1
    print("\nreaders")
    for subscription in subscriptions:
        faults = subscription.faults(feeds[subscription.variant, subscription.form])
        verdict = "ok    " if not faults else "FAILED"
        failed += bool(faults)
        print(f"  {verdict} {subscription.name:34} unread at {' '.join(subscription.when_unread):10}"
              f" text changed at {' '.join(subscription.when_changed) or 'no step':12} {subscription.kind.note}")
        for fault in faults:
            print("           " + fault.replace("\n", "\n           "))
    print(f"\n{len(subscriptions)} subscriptions, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
