"""Measures the CPU time of bursts of new stories and of changed stories, with and without configured feeds."""

import random
import re

import measure
from documents import VOCABULARY, address_of, dated, feed, generated_item
from newsfold import Newsfold

STORIES = 500
FEEDS = 1000
# Each condition applies to a quarter of the feeds. The feeds with exclude_query contain nearly all stories.
CONDITIONS = ('query = "{word}"', 'tags = ["{word}"]', 'exclude_query = "{word}"', 'pattern = "{word} (b|c|d)"')
# A changed story gets a new edition immediately.
PUBLISH = 'min_update_interval = "0s"'


def run(folder, nginx, options):
    generator = random.Random(3)
    items = [dated(generated_item(generator, n)) for n in range(STORIES)]
    # The second outlet reports the same stories, so they all change. Its texts are not copies, which would add nothing to
    # the entries.
    numbers = (options.feeds, options.feeds + 1)
    for number, texts in zip(numbers, (items, [reworded(item, generator) for item in items])):
        renamed = [item.replace("news.example", f"news-{number}.example") for item in texts]
        (nginx.feeds / f"{address_of(number)}.xml").write_text(feed(number, renamed, ""))
    rows = []
    for feeds in (0, FEEDS):
        usages = {}
        for round in range(options.rounds):
            newsfold = Newsfold(folder / f"{feeds}-{round}", PUBLISH, configured_feeds(feeds))
            for number, change in zip(numbers, ("new", "changed")):
                newsfold.import_sources([nginx.url(address_of(number), "feed.xml")])
                source = str(number - options.feeds + 1)
                usages.setdefault(change, []).append(newsfold.command("source", "poll", source)[0])
            entries = newsfold.sql("SELECT count(*) FROM feed_entry")
            stories = newsfold.sql("SELECT count(*) FROM story WHERE merged_into IS NULL")
            editions = newsfold.sql("SELECT count(*) FROM edition")
        for change, all in usages.items():
            usage = measure.median(all)
            costs = [f"{usage.cpu:.2f} s", f"{usage.elapsed:.2f} s", f"{usage.memory:.0f} MB"]
            rows.append([f"{STORIES} {change} stories", str(feeds), *costs])
        print(f"{feeds} feeds: {stories} stories, {editions} editions, {entries} entries")
    head = ["burst", "configured feeds", "CPU time", "time", "peak memory"]
    measure.print_table("Publication of a burst", head, rows)


def reworded(item, generator):
    """The item with the words of its text in another order."""
    start, text, end = re.split("(?<=<description>)(.*)(?=</description>)", item)
    words = text.split()
    generator.shuffle(words)
    return start + " ".join(words) + end


def configured_feeds(count):
    section = '[[publish.feeds]]\nname = "feed-{number}"\n{condition}\n'
    texts = []
    for number in range(count):
        condition = CONDITIONS[number % len(CONDITIONS)].format(word=VOCABULARY[50 + number // len(CONDITIONS)])
        texts.append(section.format(number=number, condition=condition))
    return "".join(texts)
