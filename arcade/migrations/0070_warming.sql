-- The newest assets of all, which are warmed after a start.
CREATE INDEX assets_by_time ON assets (created_at_ms, id);
