-- A room keeps the number of the system that it was set up with, whatever becomes of the system.
CREATE TABLE rooms (
    id            BIGINT PRIMARY KEY,
    name          TEXT   NOT NULL UNIQUE,
    owner_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    active        BIGINT NOT NULL CHECK (active IN (0, 1)),
    players_max   BIGINT NOT NULL CHECK (players_max >= 1),
    system_id     BIGINT,
    board         TEXT   NOT NULL,
    game_state    TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);

CREATE TABLE room_players (
    room_id      BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    user_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seat         TEXT   NOT NULL CHECK (seat IN ('admin', 'gm', 'player', 'observer')),
    online       BIGINT NOT NULL CHECK (online IN (0, 1)),
    score        BIGINT NOT NULL,
    joined_at_ms BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id)
);

-- The rooms of a user, the one entered last first.
CREATE INDEX room_players_of_user ON room_players (user_id, joined_at_ms, room_id);
