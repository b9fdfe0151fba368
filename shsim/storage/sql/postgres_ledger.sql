-- name: state
-- Which of the tables are there; is nothing to be written here and now; their columns.
SELECT
    t.name,
    to_regclass(t.name) IS NOT NULL,
    current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery(),
    (SELECT string_agg(a.attname, ',') FROM pg_attribute a
     WHERE a.attrelid = to_regclass(t.name) AND a.attnum > 0 AND NOT a.attisdropped)
FROM (VALUES ('shsim_schema'), ('shsim_run'), ('shsim_run_item')) t(name);

-- name: number_behind
-- Has a run that was over before this one began a greater number?
SELECT 1 FROM shsim_run WHERE id > %(run)s AND finished < %(started)s LIMIT 1;

-- name: number_on
-- A table of runs that was made anew goes on from the numbers that have been given out.
SELECT setval(pg_get_serial_sequence('shsim_run', 'id'), max(run))
FROM shsim_run_item
HAVING max(run) > 0;

-- name: item_sums
-- Of a run's items: others as soon as a k before or after is another, in whatever order read.
sum((hashint8(i.question_id) # hashint8(i.version))::bigint * coalesce(hashfloat8(i.k_before), 1)),
    sum((hashint8(i.question_id) # hashint8(i.version))::bigint * hashfloat8(i.k_after));

-- name: migration_1
CREATE TABLE shsim_schema (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE shsim_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    exam text NOT NULL,
    started timestamptz NOT NULL,
    finished timestamptz NOT NULL,
    database_user text DEFAULT session_user,
    os_user text NOT NULL,
    host text NOT NULL,
    version text NOT NULL,
    settings text NOT NULL,
    seed bigint,
    fingerprint text,
    start text,
    rejection text,
    ability text,
    tau double precision,
    history text NOT NULL,
    measures text NOT NULL,
    outcome text NOT NULL,
    message text NOT NULL
);
CREATE INDEX shsim_run_exam ON shsim_run (exam, id);
-- No foreign key to shsim_run: it would be checked row by row, a million times a save.
CREATE TABLE shsim_run_item (
    run bigint NOT NULL,
    question_id bigint NOT NULL,
    version bigint NOT NULL,
    k_before double precision,
    k_after double precision NOT NULL,
    PRIMARY KEY (run, question_id, version)
);
