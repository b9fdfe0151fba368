-- name: question_publications
CREATE TABLE question_publications (
    exam_code text NOT NULL,
    question_id bigint NOT NULL,
    live_version bigint,
    PRIMARY KEY (exam_code, question_id)
);

-- name: question_versions
CREATE TABLE question_versions (
    question_id bigint NOT NULL,
    version bigint NOT NULL,
    topic_id bigint,
    state text NOT NULL,
    PRIMARY KEY (question_id, version)
);

-- name: item_calibration
CREATE TABLE item_calibration (
    question_id bigint NOT NULL,
    version bigint NOT NULL,
    model text NOT NULL,
    a double precision,
    b double precision,
    c double precision,
    PRIMARY KEY (question_id, version, model)
);

-- name: item_exposure_control
CREATE TABLE item_exposure_control (
    question_id bigint NOT NULL,
    version bigint NOT NULL,
    sh_p double precision,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (question_id, version)
);

-- name: user_responses
CREATE TABLE user_responses (
    question_id bigint NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX user_responses_created_at ON user_responses (created_at);
