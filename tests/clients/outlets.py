"""Nine outlets on loopback, each with its own server. At step n, the first n outlets report the story. Each outlet also has
a different item from the start. story.py uses this module."""

import http.server
import threading
from email.utils import formatdate
from xml.sax.saxutils import escape

# One event, as reported by nine outlets.
STORY = [
    ("Armoured convoy seized at Veshna bridge after standoff with customs",
     "Customs officers seized an armoured convoy of seven lorries at the Veshna bridge on Tuesday night after a "
     "standoff with its drivers, the interior ministry of Karsk said."),
    ("Karsk customs seize armoured convoy at Veshna bridge",
     "An armoured convoy of seven lorries was seized by customs at the Veshna bridge late on Tuesday, Karsk's interior "
     "ministry said, ending a standoff with the drivers."),
    ("Seven armoured lorries seized at the Veshna bridge, says Karsk",
     "Seven armoured lorries were seized at the Veshna bridge on Tuesday night. Customs officers ended a standoff with "
     "the convoy's drivers, according to the interior ministry in Karsk."),
    ("Standoff at Veshna bridge ends as customs seize armoured convoy",
     "A standoff at the Veshna bridge ended on Tuesday night when customs officers seized the armoured convoy of seven "
     "lorries, the interior ministry of Karsk announced."),
    ("Armoured convoy seized: what we know about the Veshna bridge standoff",
     "Customs officers in Karsk seized an armoured convoy of seven lorries at the Veshna bridge. The interior ministry "
     "said its drivers had refused to open them."),
    ("Interior ministry of Karsk: armoured convoy seized at Veshna bridge",
     "The interior ministry said customs had seized an armoured convoy at the Veshna bridge on Tuesday night, with seven "
     "lorries and their drivers held after a standoff."),
    ("Veshna bridge: customs seize convoy of seven armoured lorries",
     "Karsk's customs seized a convoy of seven armoured lorries at the Veshna bridge on Tuesday after a night's standoff "
     "with the drivers, the interior ministry said."),
    ("Drivers held after armoured convoy is seized at Veshna bridge",
     "Drivers of an armoured convoy were held at the Veshna bridge on Tuesday night as customs officers seized seven "
     "lorries, the interior ministry of Karsk said after the standoff."),
    ("Customs seize armoured convoy at Veshna bridge in Karsk, ending standoff",
     "Seven lorries of an armoured convoy were seized by customs officers at the Veshna bridge in Karsk on Tuesday, the "
     "interior ministry said; the standoff with drivers lasted all night."),
]
RETITLED = "Armoured convoy seized at Veshna bridge: drivers to be charged, customs say"
OWN = [
    ("Ormel lighthouse to reopen for visitors in spring", "The lighthouse of Ormel gets a new stair and a museum."),
    ("Tram line to Pilling gets eleven new stops", "Pilling's council approved the extension of tram nine."),
    ("Goatherds of Talmo win prize for their blue cheese", "A jury of bakers chose the cheese from Talmo."),
    ("Orchestra of Quenby tours with a borrowed organ", "The organ travels in two barges to nine towns."),
    ("School in Dorvik teaches astronomy on its roof", "Pupils in Dorvik counted meteors through August."),
    ("Rare heron nests beside the Lumsa power plant", "Biologists in Lumsa counted four chicks of the heron."),
    ("Chess champion Arno Fell retires at nineteen", "Fell says that he wants to study medicine instead."),
    ("Glaciers above Istrel lose a tenth of their ice", "A survey by drone measured the glaciers of Istrel."),
    ("Bakery in Nemmer sells its ten millionth pretzel", "The customer got a pretzel of a metre for nothing."),
]


class Outlets:
    def __init__(self, start):
        self.step = 0
        self.retitled = False
        self.start = start
        self.servers = []
        for number in range(len(STORY)):
            handler = type("Handler", (Handler,), {"outlets": self, "number": number})
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)

    def url(self, number):
        return f"http://127.0.0.1:{self.servers[number].server_address[1]}/feed"

    def document(self, number):
        items = [(f"own-{number}", *OWN[number], self.start - 3600)]
        if number < self.step:
            title, text = STORY[number]
            if number == 0 and self.retitled:
                title = RETITLED
            items.insert(0, (f"story-{number}", title, text, self.start - 600 + number))
        site = f"https://outlet{number}.example"
        out = f"<rss version='2.0'><channel><title>Outlet {number}</title><link>{site}/</link><description/><language>en</language>"
        for guid, title, text, date in items:
            out += (f"<item><guid isPermaLink='false'>{guid}</guid><title>{escape(title)}</title><link>{site}/{guid}</link>"
                    f"<description>{escape(text)}</description><pubDate>{formatdate(date, usegmt=True)}</pubDate></item>")
        return (out + "</channel></rss>").encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.outlets.document(self.number)
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
