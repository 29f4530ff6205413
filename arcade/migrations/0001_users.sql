-- Times are milliseconds since 1970 UTC. The same text runs on SQLite and PostgreSQL.
CREATE TABLE users (
    id            BIGINT PRIMARY KEY,
    name          TEXT   NOT NULL,
    email         TEXT   NOT NULL UNIQUE,
    role          TEXT   NOT NULL CHECK (role IN ('player', 'admin')),
    created_at_ms BIGINT NOT NULL
);
