-- name: state
-- Is there a ledger; may it be read; may runs be recorded in it, here and now?
SELECT
    to_regclass('shsim_schema') IS NOT NULL,
    coalesce(
        has_table_privilege(to_regclass('shsim_schema'), 'SELECT')
        AND has_table_privilege(to_regclass('shsim_run'), 'SELECT')
        AND has_table_privilege(to_regclass('shsim_run_item'), 'SELECT'), false),
    coalesce(
        has_table_privilege(to_regclass('shsim_run'), 'INSERT')
        AND has_table_privilege(to_regclass('shsim_run_item'), 'INSERT'), false),
    current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery();

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
