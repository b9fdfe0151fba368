-- name: state
-- Which of the tables are there, with which columns? Whether anything may be written is the file
-- system's affair. A view that has a table's name is in its way, and has no column of ours.
SELECT t.column1, m.type IS NOT NULL, 0, CASE m.type
    WHEN 'table' THEN (SELECT group_concat(name) FROM pragma_table_info(t.column1))
END
FROM (VALUES ('shsim_schema'), ('shsim_run'), ('shsim_run_item')) t
LEFT JOIN sqlite_master m
    ON m.name = t.column1 COLLATE NOCASE AND m.type IN ('table', 'view');

-- name: number_on
-- A table of runs that was made anew goes on from the numbers that have been given out.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'shsim_run', max(run) FROM shsim_run_item HAVING max(run) > 0;

-- name: exams_on_record
-- Of the runs themselves: their index may be whole where they are damaged.
SELECT DISTINCT exam FROM shsim_run NOT INDEXED ORDER BY exam;

-- name: any_trigger
SELECT 1 FROM sqlite_master WHERE type = 'trigger' LIMIT 1;

-- name: numbers_used_up
SELECT 1 FROM sqlite_sequence WHERE name = 'shsim_run' AND seq = 9223372036854775807;

-- name: item_sums
-- Of a run's items: others as soon as a k before or after is another. A k in units of 2^-52, to a
-- prime modulus: a sum that a whole number cannot hold is an error.
sum((i.question_id % 2147483629 + i.version % 2147483629 + 1)
        * (CAST(coalesce(i.k_before, 2) * 4503599627370496 AS INTEGER) % 2147483629) % 2147483629),
    sum((i.question_id % 2147483629 + i.version % 2147483629 + 1)
        * (CAST(i.k_after * 4503599627370496 AS INTEGER) % 2147483629) % 2147483629);

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
