-- name: question_publications
CREATE TABLE question_publications (
    exam_code TEXT NOT NULL,
    question_id INTEGER NOT NULL,
    live_version INTEGER,
    PRIMARY KEY (exam_code, question_id)
) WITHOUT ROWID;

-- name: question_versions
CREATE TABLE question_versions (
    question_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    topic_id INTEGER,
    state TEXT NOT NULL,
    PRIMARY KEY (question_id, version)
) WITHOUT ROWID;

-- name: item_calibration
CREATE TABLE item_calibration (
    question_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    model TEXT NOT NULL,
    a REAL,
    b REAL,
    c REAL,
    PRIMARY KEY (question_id, version, model)
) WITHOUT ROWID;

-- name: item_exposure_control
CREATE TABLE item_exposure_control (
    question_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    sh_p REAL,
    updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (question_id, version)
) WITHOUT ROWID;

-- name: user_responses
CREATE TABLE user_responses (
    question_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX user_responses_created_at ON user_responses (created_at);
