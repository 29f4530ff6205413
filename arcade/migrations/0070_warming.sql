-- The newest assets of all, which are warmed after a start.
CREATE INDEX assets_by_time ON assets (created_at_ms, id);
-- Whose session went on last.
CREATE INDEX refresh_tokens_by_time ON refresh_tokens (expires_at_ms, user_id);
