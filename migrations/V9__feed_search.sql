-- The number of links from web pages to their feed that polls of the source may still follow. A source that a command
-- adds as root can have the URL of a web page. 0 after the first feed has been read.
ALTER TABLE source ADD COLUMN feed_search_steps INTEGER NOT NULL DEFAULT 0;
