-- What users think of a system or template: one to five stars each. The sums lie beside the system, so
-- that nobody counts them.
CREATE TABLE system_ratings (
    system_id BIGINT NOT NULL REFERENCES game_systems (id) ON DELETE CASCADE,
    user_id   BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    stars     BIGINT NOT NULL CHECK (stars BETWEEN 1 AND 5),
    PRIMARY KEY (system_id, user_id)
);

ALTER TABLE game_systems ADD COLUMN stars BIGINT NOT NULL DEFAULT 0 CHECK (stars >= 0);
ALTER TABLE game_systems ADD COLUMN ratings BIGINT NOT NULL DEFAULT 0 CHECK (ratings >= 0);
