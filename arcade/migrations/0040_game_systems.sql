-- Systems and templates: two shelves of one kind of thing. Lists of words and whatever only clients
-- understand is JSON.
CREATE TABLE game_systems (
    id            BIGINT PRIMARY KEY,
    shelf         TEXT   NOT NULL CHECK (shelf IN ('system', 'template')),
    owner_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT   NOT NULL,
    description   TEXT   NOT NULL,
    category      TEXT   NOT NULL,
    complexity    TEXT   NOT NULL,
    version       TEXT   NOT NULL,
    official      BIGINT NOT NULL CHECK (official IN (0, 1)),
    public        BIGINT NOT NULL CHECK (public IN (0, 1)),
    downloads     BIGINT NOT NULL CHECK (downloads >= 0),
    players_min   BIGINT NOT NULL CHECK (players_min >= 1),
    players_max   BIGINT NOT NULL CHECK (players_max >= players_min),
    minutes       BIGINT NOT NULL CHECK (minutes >= 1),
    tags          TEXT   NOT NULL,
    content       TEXT   NOT NULL,
    created_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);

-- A page is the newest first; the id settles equal times.
CREATE INDEX game_systems_by_time ON game_systems (shelf, public, created_at_ms, id);
CREATE INDEX game_systems_of_category ON game_systems (shelf, public, category, created_at_ms, id);
CREATE INDEX game_systems_of_owner ON game_systems (shelf, owner_id, created_at_ms, id);
