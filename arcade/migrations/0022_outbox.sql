-- What larder-sql keeps of changes whose invalidation is not known to be sent.
CREATE TABLE larder_outbox (
    id TEXT NOT NULL PRIMARY KEY,
    written_at_ms BIGINT NOT NULL,
    names TEXT NOT NULL,
    parked_because TEXT
);

CREATE INDEX larder_outbox_by_age ON larder_outbox (written_at_ms);
