-- An empty hash fits no password: a user without one cannot log in.
ALTER TABLE users ADD COLUMN password_hash TEXT NOT NULL DEFAULT '';

-- In minor units. The database itself refuses an overdraft.
ALTER TABLE users ADD COLUMN balance_minor BIGINT NOT NULL DEFAULT 0 CHECK (balance_minor >= 0);
