-- The skills of a class are one document: what there is to choose from is read and written whole.
CREATE TABLE classes (
    id              BIGINT PRIMARY KEY,
    name            TEXT   NOT NULL,
    name_lower      TEXT   NOT NULL UNIQUE,
    description     TEXT   NOT NULL,
    icon            TEXT   NOT NULL,
    banner          TEXT   NOT NULL,
    character_image TEXT   NOT NULL,
    skills          TEXT   NOT NULL
);

CREATE TABLE class_tags (
    name TEXT PRIMARY KEY
);

CREATE TABLE classes_tagged (
    class_id BIGINT NOT NULL REFERENCES classes (id) ON DELETE CASCADE,
    tag      TEXT   NOT NULL REFERENCES class_tags (name),
    PRIMARY KEY (class_id, tag)
);

CREATE INDEX classes_tagged_with ON classes_tagged (tag);

-- A build without an owner is the starter build of its class, of which there is one. Its graph
-- (abilities, passives, stigmas, Daevanion, shortcuts) is one document.
CREATE TABLE builds (
    id            BIGINT PRIMARY KEY,
    name          TEXT   NOT NULL,
    class_id      BIGINT NOT NULL REFERENCES classes (id),
    owner_id      BIGINT REFERENCES users (id) ON DELETE CASCADE,
    private       BIGINT NOT NULL CHECK (private IN (0, 1)),
    base_sp       BIGINT NOT NULL,
    extra_sp      BIGINT NOT NULL,
    base_stp      BIGINT NOT NULL,
    extra_stp     BIGINT NOT NULL,
    graph         TEXT   NOT NULL,
    likes         BIGINT NOT NULL CHECK (likes >= 0),
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    CHECK (owner_id IS NOT NULL OR private = 0)
);

-- A page is the newest first; the id settles equal times.
CREATE INDEX builds_by_time ON builds (private, created_at_ms, id);
CREATE INDEX builds_of_class ON builds (class_id, private, created_at_ms, id);
CREATE INDEX builds_of_owner ON builds (owner_id, created_at_ms, id);
CREATE INDEX builds_by_likes ON builds (private, likes);
CREATE INDEX builds_of_class_by_likes ON builds (class_id, private, likes);
CREATE UNIQUE INDEX starter_builds ON builds (class_id) WHERE owner_id IS NULL;

-- The primary key is what makes two likes of one user one.
CREATE TABLE build_likes (
    build_id      BIGINT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    user_id       BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (build_id, user_id)
);

CREATE INDEX build_likes_of_user ON build_likes (user_id, created_at_ms, build_id);
