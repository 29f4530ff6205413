-- Double entry, only ever appended to: the lines of a transfer sum to zero, and the lines of a user
-- sum to the user's balance. A line without a user is the house.
CREATE TABLE ledger_entries (
    transfer_id   BIGINT NOT NULL,
    line          BIGINT NOT NULL,
    user_id       BIGINT REFERENCES users (id),
    amount_minor  BIGINT NOT NULL CHECK (amount_minor <> 0),
    reason        TEXT   NOT NULL,
    reference     BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (transfer_id, line)
);

CREATE INDEX ledger_entries_of_user ON ledger_entries (user_id);
