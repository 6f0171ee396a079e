"""The documents: feeds of 20 items with the text of a corpus, or with generated text. All items are dated within
the last two days. Each feed has its own loopback address, because newsfold sends one request at a time to a server."""

import email.utils
import html
import ipaddress
import itertools
import random
import re
import time
import xml.etree.ElementTree as xml

ITEMS_PER_FEED = 20
FIRST_ADDRESS = int(ipaddress.ip_address("127.1.0.1"))


def address_of(number):
    return str(ipaddress.ip_address(FIRST_ADDRESS + number))


def write(folder, count, corpus):
    """Writes feed `n` to the file that is named after its address."""
    if corpus.exists():
        items, namespaces = read_items(corpus)
        source = f"{len(items)} items of the corpus"
    else:
        generator = random.Random(1)
        items, namespaces = [generated_item(generator, n) for n in range(count * ITEMS_PER_FEED)], ""
        source = "generated text"
    size = 0
    for number in range(count):
        start = number * ITEMS_PER_FEED
        chosen = [numbered(items[n % len(items)], n // len(items)) for n in range(start, start + ITEMS_PER_FEED)]
        document = feed(number, [dated(item) for item in chosen], namespaces).encode()
        (folder / f"{address_of(number)}.xml").write_bytes(document)
        size += len(document)
    (folder / "empty.xml").write_text(feed(0, [], ""))
    print(f"{count} feeds of {ITEMS_PER_FEED} items, {size / 1e6:.1f} MB, from {source}")


def feed(number, items, namespaces):
    title, link = f"Outlet {number}", f"https://outlet-{number}.example/"
    head = f"<title>{title}</title><link>{link}</link><description>{title}</description>"
    channel = f"<channel>{head}\n{''.join(items)}</channel>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"{namespaces}>{channel}</rss>\n'


def numbered(item, repetition):
    """The item, with another link and guid if it is repeated, because newsboat stores each guid once for all feeds."""
    return re.sub("</(link|guid)>", rf"?{repetition}</\1>", item) if repetition else item


def dated(item, generator=random.Random(2)):
    """The item with a date within the last two days."""
    date = email.utils.formatdate(time.time() - generator.uniform(0, 48 * 3600), usegmt=True)
    return item.replace("</item>", f"<pubDate>{date}</pubDate></item>\n")


def read_items(corpus):
    """The items of the RSS feeds in a directory without their dates, and the declarations of the namespaces in use. Items with
    a link that occurred before and items that are not well-formed are left out."""
    items, links, namespaces = [], set(), {}
    for path in sorted(corpus.glob("outlets-*/**/*.xml")):
        text = path.read_text(errors="replace")
        for prefix, uri in re.findall(r'xmlns:(\w+)\s*=\s*["\']([^"\']+)', text[:5000]):
            namespaces.setdefault(prefix, uri)
        declared = declarations(namespaces)
        for item in re.findall(r"<item>.*?</item>", text, re.DOTALL):
            link = re.search(r"<link>(.*?)</link>", item, re.DOTALL)
            item = re.sub(r"\s*<(pubDate|dc:date|atom:updated)\b.*?</\1>", "", item, flags=re.DOTALL)
            if link and link[1] not in links and is_well_formed(f"<rss{declared}>{item}</rss>"):
                links.add(link[1])
                items.append(item)
    return items, declarations(namespaces)


def declarations(namespaces):
    return "".join(f' xmlns:{prefix}="{html.escape(uri)}"' for prefix, uri in namespaces.items())


def is_well_formed(document):
    try:
        xml.fromstring(document)
        return True
    except xml.ParseError:
        return False


ONSETS = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()
ENDS = "ban cel dir fos gut hal jen kir los mut nal pen ris sot tul van".split()
VOCABULARY = ["".join(parts) for parts in itertools.product(ONSETS, ONSETS, ENDS)]
# The words follow Zipf's law.
WEIGHTS = list(itertools.accumulate(1 / rank for rank in range(1, len(VOCABULARY) + 1)))


def generated_item(generator, number):
    """A headline of ten words and a text of 40 to 100 words."""
    title, text = generated_text(generator, 10), generated_text(generator, generator.randint(40, 100))
    link = f"https://news.example/{number}.html"
    return f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid><description>{text}</description></item>"


def generated_text(generator, words):
    return " ".join(generator.choices(VOCABULARY, cum_weights=WEIGHTS, k=words))
