-- What is known of a file; the file itself lies elsewhere.
CREATE TABLE assets (
    id            BIGINT PRIMARY KEY,
    room_id       BIGINT REFERENCES rooms (id) ON DELETE CASCADE,
    system_id     BIGINT REFERENCES game_systems (id) ON DELETE CASCADE,
    uploader_id   BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    path          TEXT   NOT NULL,
    file_name     TEXT   NOT NULL,
    size_bytes    BIGINT NOT NULL CHECK (size_bytes >= 0),
    mime_type     TEXT   NOT NULL,
    width         BIGINT,
    height        BIGINT,
    public        BIGINT NOT NULL CHECK (public IN (0, 1)),
    tags          TEXT   NOT NULL,
    metadata      TEXT   NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE INDEX assets_of_room ON assets (room_id, created_at_ms, id);
CREATE INDEX assets_of_system ON assets (system_id);

-- The reference to the asset has no cascade: what lies on a board cannot be taken away below it.
CREATE TABLE board_assets (
    id            BIGINT PRIMARY KEY,
    room_id       BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    asset_id      BIGINT NOT NULL REFERENCES assets (id),
    owner_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    x             BIGINT NOT NULL,
    y             BIGINT NOT NULL,
    rotation      BIGINT NOT NULL,
    scale         BIGINT NOT NULL,
    stack         BIGINT NOT NULL,
    visibility    TEXT   NOT NULL CHECK (visibility IN ('everyone', 'owner', 'gm')),
    locked        BIGINT NOT NULL CHECK (locked IN (0, 1)),
    flipped       BIGINT NOT NULL CHECK (flipped IN (0, 1))
);

CREATE INDEX board_assets_of_room ON board_assets (room_id, id);
CREATE INDEX board_assets_of_asset ON board_assets (asset_id);
