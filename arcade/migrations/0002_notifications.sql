-- One read flag: the time of reading. Unread is its absence.
CREATE TABLE notifications (
    id            BIGINT PRIMARY KEY,
    user_id       BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind          TEXT   NOT NULL,
    title         TEXT   NOT NULL,
    message       TEXT   NOT NULL,
    payload       TEXT   NOT NULL,
    priority      TEXT   NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
    created_at_ms BIGINT NOT NULL,
    read_at_ms    BIGINT
);

-- A page is the newest first; the id settles equal times.
CREATE INDEX notifications_of_user ON notifications (user_id, created_at_ms, id);
