-- The search index contains the plain form of letters such as ß and ł. Items that were indexed before get this form too.
UPDATE item_fts SET title = search_text(item.title), summary = search_text(item.summary)
FROM item WHERE item.id = item_fts.rowid AND item.title || item.summary GLOB '*[ßẞłŁøØđĐðÐħĦŧŦıæÆœŒþÞ]*';
