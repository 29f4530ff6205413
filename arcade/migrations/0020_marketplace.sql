-- Items have no reference from the inventory: what was bought stays when its item goes.
CREATE TABLE market_items (
    id             BIGINT PRIMARY KEY,
    name           TEXT   NOT NULL,
    description    TEXT   NOT NULL,
    price_minor    BIGINT NOT NULL CHECK (price_minor > 0),
    category       TEXT   NOT NULL,
    image          TEXT   NOT NULL,
    available      BIGINT NOT NULL CHECK (available IN (0, 1)),
    stock          BIGINT NOT NULL CHECK (stock >= 0),
    community_item BIGINT NOT NULL CHECK (community_item IN (0, 1)),
    created_at_ms  BIGINT NOT NULL
);

-- A page is the newest first; the id settles equal times.
CREATE INDEX market_items_by_time ON market_items (created_at_ms, id);
CREATE INDEX market_items_of_category ON market_items (category, created_at_ms, id);

-- Name and price are those of the purchase, whatever becomes of the item.
CREATE TABLE inventory (
    id               BIGINT PRIMARY KEY,
    user_id          BIGINT NOT NULL REFERENCES users (id),
    item_id          BIGINT NOT NULL,
    name             TEXT   NOT NULL,
    price_paid_minor BIGINT NOT NULL,
    acquired_at_ms   BIGINT NOT NULL
);

CREATE INDEX inventory_of_user ON inventory (user_id, acquired_at_ms, id);
CREATE INDEX inventory_of_item ON inventory (item_id);

-- What was decided under an idempotency key, so that the same request gets the same answer.
CREATE TABLE purchase_keys (
    user_id       BIGINT NOT NULL REFERENCES users (id),
    key           TEXT   NOT NULL,
    request       TEXT   NOT NULL,
    decision      TEXT   NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
);
