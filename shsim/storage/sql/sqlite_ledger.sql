-- name: state
-- Is there a ledger? Whether it may be read and written is the file system's affair.
SELECT count(*) > 0, 1, 1, 0 FROM sqlite_master WHERE type = 'table' AND name = 'shsim_schema';

-- name: migration_1
CREATE TABLE shsim_schema (
    version INTEGER PRIMARY KEY,
    applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE shsim_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    command TEXT NOT NULL,
    exam TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT NOT NULL,
    database_user TEXT,
    os_user TEXT NOT NULL,
    host TEXT NOT NULL,
    version TEXT NOT NULL,
    settings TEXT NOT NULL,
    seed INTEGER,
    fingerprint TEXT,
    start TEXT,
    rejection TEXT,
    ability TEXT,
    tau REAL,
    history TEXT NOT NULL,
    measures TEXT NOT NULL,
    outcome TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX shsim_run_exam ON shsim_run (exam, id);
CREATE TABLE shsim_run_item (
    run INTEGER NOT NULL,
    question_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    k_before REAL,
    k_after REAL NOT NULL,
    PRIMARY KEY (run, question_id, version)
) WITHOUT ROWID;
