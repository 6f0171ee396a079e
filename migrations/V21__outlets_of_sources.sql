-- For the name of an outlet, which all its sources share.
CREATE INDEX source_by_outlet ON source (outlet);
CREATE INDEX source_by_named_outlet ON source (outlet) WHERE outlet_name IS NOT NULL;
