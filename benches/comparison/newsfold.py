"""newsfold: its configuration, commands, daemon and database."""

import os
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

import measure

BINARY = os.environ["NEWSFOLD"]
CONFIGURATION = """
[serve]
listen = "127.0.0.1:{port}"
[publish]
delay = "0s"
{publish}
[fetch]
allowed_networks = ["127.0.0.0/8"]
[metrics]
enabled = false
"""


class Newsfold:
    def __init__(self, folder, publish="", settings=""):
        """Writes a configuration with additional settings in [publish] and additional sections."""
        folder.mkdir()
        self.folder, self.port = folder, measure.free_port()
        self.database = folder / "newsfold.db"
        configuration = folder / "config.toml"
        configuration.write_text(CONFIGURATION.format(port=self.port, publish=publish) + settings)
        self.environment = {**os.environ, "NEWSFOLD_CONFIG": str(configuration), "NEWSFOLD_DATABASE": str(self.database)}
        self.process = None

    def command(self, *words, milestone=None):
        return measure.run([BINARY, *words], milestone, env=self.environment)

    def import_sources(self, urls):
        outlines = "".join(f'<outline type="rss" xmlUrl="{url}"/>' for url in urls)
        opml = self.folder / "sources.opml"
        opml.write_text(f'<opml version="2.0"><head/><body>{outlines}</body></opml>')
        return self.command("source", "import", str(opml))[0]

    def start(self):
        """Starts the daemon. Returns the seconds until it responded."""
        start = time.monotonic()
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen([BINARY, "serve"], stdout=log, stderr=log, env=self.environment)
        measure.wait_until("newsfold responds", lambda: self.status("healthz") == 200)
        return time.monotonic() - start

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def status(self, path):
        try:
            with urllib.request.urlopen(self.url(path), timeout=10) as response:
                return response.status
        except (urllib.error.URLError, ConnectionError):
            return None

    def sql(self, statement, *values):
        """Executes one statement. Returns the first value of the first row, if any."""
        connection = sqlite3.connect(self.database, timeout=30)
        with connection:
            row = connection.execute(statement, values).fetchone()
        connection.close()
        return row and row[0]

    def polls(self, outcome=None):
        """The number of recorded polls."""
        if outcome:
            return self.sql("SELECT count(*) FROM poll WHERE outcome = ?", outcome)
        return self.sql("SELECT count(*) FROM poll")

    def is_published(self):
        """Whether all items are grouped, and all stories with news are published."""
        return not self.sql(
            "SELECT EXISTS (SELECT 1 FROM item WHERE story_id IS NULL)"
            " OR EXISTS (SELECT 1 FROM story WHERE published_at IS NULL AND merged_into IS NULL AND has_news = 1)"
        )
