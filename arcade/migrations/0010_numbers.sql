-- The last number given to a row of each kind.
CREATE TABLE numbers (
    name TEXT   PRIMARY KEY,
    last BIGINT NOT NULL
);
