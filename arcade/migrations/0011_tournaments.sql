-- A venue is known by its number; the world map will tell more of it.
CREATE TABLE tournaments (
    id                 BIGINT PRIMARY KEY,
    name               TEXT   NOT NULL,
    venue_id           BIGINT NOT NULL,
    status             TEXT   NOT NULL CHECK (status IN
        ('UPCOMING', 'REGISTRATION', 'ACTIVE', 'LIVE', 'COMPLETED', 'CANCELLED')),
    format             TEXT   NOT NULL CHECK (format IN ('SINGLE_ELIMINATION', 'DOUBLE_ELIMINATION')),
    game_type          TEXT   NOT NULL CHECK (game_type IN ('EIGHT_BALL', 'NINE_BALL', 'TEN_BALL')),
    starts_at_ms       BIGINT NOT NULL,
    ends_at_ms         BIGINT NOT NULL CHECK (ends_at_ms > starts_at_ms),
    max_players        BIGINT NOT NULL CHECK (max_players BETWEEN 2 AND 256),
    entry_fee_minor    BIGINT NOT NULL CHECK (entry_fee_minor >= 0),
    prize_pool_minor   BIGINT NOT NULL CHECK (prize_pool_minor >= 0),
    rewards            TEXT   NOT NULL,
    sponsored          BIGINT NOT NULL CHECK (sponsored IN (0, 1)),
    sponsor_name       TEXT,
    sponsor_banner_url TEXT,
    created_at_ms      BIGINT NOT NULL
);

-- Lists show the newest first, all of them, of a status, of a venue, or of both.
CREATE INDEX tournaments_of_status ON tournaments (status, id);
CREATE INDEX tournaments_of_venue ON tournaments (venue_id, id);

-- The seed is given at the start, the rank at the end. What was paid is kept, because the fee may
-- be another one when it is given back.
CREATE TABLE participants (
    tournament_id    BIGINT NOT NULL REFERENCES tournaments (id) ON DELETE CASCADE,
    user_id          BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seed             BIGINT,
    final_rank       BIGINT,
    paid_minor       BIGINT NOT NULL CHECK (paid_minor >= 0),
    registered_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tournament_id, user_id)
);

CREATE INDEX participants_of_user ON participants (user_id);

-- Without a player B it is a bye.
CREATE TABLE matches (
    id              BIGINT PRIMARY KEY,
    tournament_id   BIGINT NOT NULL REFERENCES tournaments (id) ON DELETE CASCADE,
    round           BIGINT NOT NULL CHECK (round >= 1),
    place           BIGINT NOT NULL CHECK (place >= 1),
    player_a        BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    player_b        BIGINT REFERENCES users (id) ON DELETE CASCADE,
    score_a         BIGINT NOT NULL CHECK (score_a >= 0),
    score_b         BIGINT NOT NULL CHECK (score_b >= 0),
    winner          BIGINT,
    loser           BIGINT,
    status          TEXT   NOT NULL CHECK (status IN
        ('SCHEDULED', 'READY', 'ACTIVE', 'PAUSED', 'COMPLETED', 'FORFEITED', 'CANCELLED')),
    wager_minor     BIGINT NOT NULL CHECK (wager_minor >= 0),
    table_number    BIGINT,
    scheduled_at_ms BIGINT NOT NULL,
    started_at_ms   BIGINT,
    ended_at_ms     BIGINT,
    UNIQUE (tournament_id, round, place)
);
