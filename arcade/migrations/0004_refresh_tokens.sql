-- Only hashes are kept: who reads the table cannot log in with it. The tokens that followed one
-- login are a family.
CREATE TABLE refresh_tokens (
    hash          TEXT   PRIMARY KEY,
    family        BIGINT NOT NULL,
    user_id       BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms    BIGINT
);

CREATE INDEX refresh_tokens_of_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_of_user ON refresh_tokens (user_id);
