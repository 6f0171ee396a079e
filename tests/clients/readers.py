"""The feed readers: how to subscribe, refresh, list unread entries and mark entries as read. The module uses only
user interfaces, except for FreshRSS, which it controls by SQL. story.py uses this module.

`unread` returns the key and the title of each unread entry. `entries` returns a dictionary from the key of each stored
entry to the text in which changes are visible. In a mailer, new messages count as unread."""

import importlib.util
import json
import mailbox
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Reader:
    formats = ("atom", "rss")
    # Whether a changed entry becomes unread again.
    unread_on_change = False
    # Formats in which the reader does not notice changes to an entry's list of outlets.
    formats_without_changes = ()
    # Whether an entry with a new title becomes a new entry.
    by_title = False
    note = ""

    @classmethod
    def missing(cls):
        return None if shutil.which(cls.program) else f"{cls.program} is not installed"

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        folder.mkdir(parents=True)
        self.environment = {**os.environ, "HOME": str(folder), "LANG": "C.UTF-8", "TERM": "dumb"}
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            self.environment[name] = str(folder / name.lower())
        self.begin()


class Newsboat(Reader):
    program = "newsboat"
    configuration = ""

    def begin(self):
        (self.folder / "urls").write_text(self.url + "\n")
        (self.folder / "config").write_text(self.configuration.format(url=self.url))
        self.command = ["newsboat", "-q"] + [f"-{o}{self.folder / n}" for o, n in (("u", "urls"), ("c", "cache.db"), ("C", "config"))]

    def refresh(self):
        run([*self.command, "-x", "reload"], env=self.environment)

    def rows(self, columns, where):
        with sqlite3.connect(self.folder / "cache.db") as db:
            return db.execute(f"SELECT {columns} FROM rss_item WHERE {where}").fetchall()

    def unread(self):
        return self.rows("guid, title", "unread = 1")

    def entries(self):
        return {guid: title + content for guid, title, content in self.rows("guid, title, content", "1")}

    def read(self, keys):
        (self.folder / "read").write_text("".join(key + "\n" for key in keys))
        run([*self.command, f"-I{self.folder / 'read'}"], env=self.environment)


class NewsboatResetting(Newsboat):
    configuration = 'reset-unread-on-update "{url}"\n'
    unread_on_change = True
    note = "with reset-unread-on-update"


class Sfeed(Reader):
    """The reader sfeed. Its read state is a file of links (SFEED_URL_FILE). It stores the first line for each combination of
    id, title and link."""
    program = "sfeed_update"
    by_title = True
    note = "keeps the first text, and adds an entry for a new title"

    def begin(self):
        (self.folder / "sfeedrc").write_text(f'sfeedpath="{self.folder}/feeds"\nfeeds() {{\n feed "all" "{self.url}"\n}}\n')
        (self.folder / "read").write_text("")

    def refresh(self):
        run(["sfeed_update", str(self.folder / "sfeedrc")], env=self.environment)

    def lines(self):
        text = (self.folder / "feeds" / "all").read_text()
        return [line.split("\t") for line in text.split("\n") if line]

    def unread(self):
        read = (self.folder / "read").read_text().splitlines()
        return [(cell[2], cell[1]) for cell in self.lines() if cell[2] not in read]

    def entries(self):
        # sfeed identifies entries by ID, title and link.
        return {(cell[5], cell[1], cell[2]): cell[3] for cell in self.lines()}

    def read(self, keys):
        text = "".join(key + "\n" for key in keys)
        run(["sfeed_markread", "read", str(self.folder / "read")], env=self.environment, input=text)


class PythonReader(Reader):
    formats = ("atom", "rss", "json")

    @classmethod
    def missing(cls):
        return None if importlib.util.find_spec("reader") else "the package reader is not installed"

    def begin(self):
        import reader
        self.reader = reader.make_reader(str(self.folder / "reader.sqlite"))
        self.reader.add_feed(self.url)

    def refresh(self):
        self.reader.update_feed(self.url)

    def unread(self):
        return [(entry.id, entry.title) for entry in self.reader.get_entries(read=False)]

    def entries(self):
        return {entry.id: f"{entry.title}{entry.updated}{entry.content}" for entry in self.reader.get_entries()}

    def read(self, keys):
        for key in keys:
            self.reader.mark_entry_as_read((self.url, key))


class Feedparser(Reader):
    """A parser without read state: entries with an unknown id count as unread."""

    @classmethod
    def missing(cls):
        return None if importlib.util.find_spec("feedparser") else "the package feedparser is not installed"

    def begin(self):
        self.seen = set()

    def refresh(self):
        import feedparser
        self.parsed = feedparser.parse(self.url)
        if self.parsed.bozo:
            raise RuntimeError(f"feedparser reports an error in {self.url}: {self.parsed.bozo_exception}")

    def unread(self):
        return [(entry.id, entry.title) for entry in self.parsed.entries if entry.id not in self.seen]

    def entries(self):
        return {entry.id: f"{entry.title}{entry.get('updated')}{entry.get('content')}" for entry in self.parsed.entries}

    def read(self, keys):
        self.seen.update(keys)


class Mailer(Reader):
    def messages(self):
        box = mailbox.Maildir(self.maildir, create=True)
        return [(name, box[name]) for name in box.keys()]

    def unread(self):
        self.seen = getattr(self, "seen", set())
        return [(name, str(message["subject"])) for name, message in self.messages() if name not in self.seen]

    def entries(self):
        return {name: message.as_string() for name, message in self.messages()}

    def read(self, keys):
        self.seen.update(keys)


class Rss2email(Mailer):
    program = "r2e"
    options = {}
    # rss2email uses the summary of an Atom entry as its text.
    formats_without_changes = ("atom",)
    note = "a message for each entry"

    def begin(self):
        self.maildir = self.folder / "mail" / "INBOX"
        (self.folder / "mail").mkdir()
        options = {"email-protocol": "maildir", "maildir-path": self.folder / "mail", "to": "a@localhost", **self.options}
        (self.folder / "r2e.cfg").write_text("[DEFAULT]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))
        self.command = ["r2e", "-c", str(self.folder / "r2e.cfg"), "-d", str(self.folder / "r2e.json")]
        run([*self.command, "add", "all", self.url], env=self.environment)

    def refresh(self):
        run([*self.command, "run"], env=self.environment)


class Rss2emailReplying(Rss2email):
    options = {"reply-changes": True}
    unread_on_change = True
    note = "with reply-changes: a message for each change"


class Rss2emailDistrusting(Rss2email):
    options = {"trust-guid": False}
    unread_on_change = True
    note = "with trust-guid off: a message for each change"


class Feed2exec(Mailer):
    note = "a message for each entry"

    @classmethod
    def missing(cls):
        return None if importlib.util.find_spec("feed2exec") else "the package feed2exec is not installed"

    def begin(self):
        self.maildir = self.folder / "mail" / "all"
        self.command = [sys.executable, "-m", "feed2exec", "--config", str(self.folder / "f.ini"), "--database", str(self.folder / "f.db")]
        run([*self.command, "add", "all", self.url, "--output", "feed2exec.plugins.maildir", "--args", "a@localhost",
             "--folder", "all", "--mailbox", str(self.folder / "mail")], env=self.environment)

    def refresh(self):
        run([*self.command, "fetch", "--nocache"], env=self.environment)


class Elfeed(Reader):
    program = "emacs"
    lisp = """(progn (require 'package) (package-initialize) (require 'elfeed) (require 'json)
      (setq elfeed-db-directory "{folder}/db" elfeed-feeds '("{url}") elfeed-use-curl t)
      {act}
      (elfeed-db-save)
      (let (all) (with-elfeed-db-visit (entry feed)
         (push (vector (cdr (elfeed-entry-id entry)) (elfeed-entry-title entry)
                     (if (memq 'unread (elfeed-entry-tags entry)) t :json-false)
                     (format "%s%s%s" (elfeed-entry-title entry) (elfeed-entry-date entry)
                        (or (elfeed-deref (elfeed-entry-content entry)) ""))) all))
       (princ (concat "ENTRIES" (json-encode (or all []))))))"""

    @classmethod
    def missing(cls):
        if not shutil.which("emacs"):
            return "emacs is not installed"
        found = subprocess.run(["emacs", "--batch", "--eval", "(progn (require 'package) (package-initialize) (require 'elfeed))"], capture_output=True)
        return None if found.returncode == 0 else "elfeed is not installed"

    def begin(self):
        self.kept = []

    def do(self, act):
        lisp = self.lisp.replace("{folder}", str(self.folder)).replace("{url}", self.url).replace("{act}", act)
        (self.folder / "do.el").write_text(lisp)
        out = run(["emacs", "--batch", "-l", str(self.folder / "do.el")], env=self.environment)
        self.kept = json.loads(out.split("ENTRIES", 1)[1])

    def refresh(self):
        self.do("""(progn (elfeed-update) (let ((until (+ (float-time) 20)))
          (while (and (> (elfeed-queue-count-total) 0) (< (float-time) until)) (accept-process-output nil 0.05))))""")

    def unread(self):
        return [(key, title) for key, title, unread, _ in self.kept if unread]

    def entries(self):
        return {key: text for key, _, _, text in self.kept}

    def read(self, keys):
        quoted = " ".join(json.dumps(key) for key in keys)
        self.do(f"(with-elfeed-db-visit (entry feed) (when (member (cdr (elfeed-entry-id entry)) '({quoted})) (elfeed-untag entry 'unread)))")


class FreshRSS(Reader):
    formats = ("atom", "rss", "json")
    unread_again = False

    @classmethod
    def missing(cls):
        if not os.environ.get("FRESHRSS"):
            return "FRESHRSS is not set"
        return None if shutil.which("php") else "php is not installed"

    def begin(self):
        self.app = self.folder / "app"
        shutil.copytree(os.environ["FRESHRSS"], self.app)
        php = lambda name, *words: run(["php", str(self.app / "cli" / name), *words], env=self.environment, cwd=self.app)
        self.php = php
        php("prepare.php")
        php("do-install.php", "--default-user", "a", "--db-type", "sqlite", "--base-url", "http://localhost/", "--language", "en", "--auth-type", "none", "--disable-update")
        # The subscriptions of a new user.
        kind = "JSONFeed" if self.url.endswith(".json") else "rss"
        (self.app / "data" / "opml.xml").write_text(
            f'<opml version="2.0"><body><outline text="all" type="{kind}" xmlUrl="{self.url}"/></body></opml>')
        php("create-user.php", "--user", "a", "--feed-ttl-default", "0")
        user = self.app / "data" / "users" / "a" / "config.php"
        if self.unread_again:
            user.write_text(user.read_text().replace("'mark_updated_article_unread' => false", "'mark_updated_article_unread' => true"))

    def db(self):
        return sqlite3.connect(self.app / "data" / "users" / "a" / "db.sqlite")

    def refresh(self):
        with self.db() as db:
            db.execute("UPDATE feed SET lastUpdate = 0")
        shutil.rmtree(self.app / "data" / "cache", ignore_errors=True)
        (self.app / "data" / "cache").mkdir()
        subprocess.run(["php", str(self.app / "cli" / "actualize-user.php"), "--user", "a"], env=self.environment, cwd=self.app, capture_output=True, timeout=120)

    def unread(self):
        with self.db() as db:
            return db.execute("SELECT guid, title FROM entry WHERE is_read = 0").fetchall()

    def entries(self):
        with self.db() as db:
            return {guid: title + content for guid, title, content in db.execute("SELECT guid, title, content FROM entry")}

    def read(self, keys):
        with self.db() as db:
            db.executemany("UPDATE entry SET is_read = 1 WHERE guid = ?", [(key,) for key in keys])


class FreshRSSUnreadAgain(FreshRSS):
    unread_again = True
    unread_on_change = True
    note = "with ‘mark updated articles as unread’"


ALL = [Newsboat, NewsboatResetting, Sfeed, PythonReader, Feedparser, Rss2email, Rss2emailReplying, Rss2emailDistrusting,
       Feed2exec, Elfeed, FreshRSS, FreshRSSUnreadAgain]
