-- A login begins a session; the refresh tokens that follow it are of the family with its number.
CREATE TABLE sessions (
    id                BIGINT PRIMARY KEY,
    user_id           BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    started_at_ms     BIGINT NOT NULL,
    last_active_at_ms BIGINT NOT NULL,
    expires_at_ms     BIGINT NOT NULL
);

-- What was begun before there was this table goes on; when it was is taken from when its first
-- token was used, or would have expired after thirty days.
INSERT INTO sessions (id, user_id, started_at_ms, last_active_at_ms, expires_at_ms)
SELECT family, user_id,
    COALESCE(MIN(used_at_ms), MIN(expires_at_ms) - 2592000000),
    COALESCE(MAX(used_at_ms), MIN(expires_at_ms) - 2592000000),
    MAX(expires_at_ms)
FROM refresh_tokens GROUP BY family, user_id;

-- The sessions of a user, the newest first.
CREATE INDEX sessions_of_user ON sessions (user_id, started_at_ms, id);

-- What is to be swept out.
CREATE INDEX sessions_by_end ON sessions (expires_at_ms);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at_ms);

-- Where the picture of a user is.
ALTER TABLE users ADD COLUMN image TEXT;
