-- Whether a server serves other sources well is asked at each refusal.
CREATE INDEX poll_of_origin ON poll (origin, started_at);
