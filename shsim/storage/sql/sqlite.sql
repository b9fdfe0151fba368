-- name: load_pool
-- SQLite keeps whatever was put into a column: what is no number is taken for missing; an item
-- whose ids are no whole numbers is marked, as CAST would make another item's of them.
SELECT
    CAST(p.question_id AS INTEGER),
    CAST(p.live_version AS INTEGER),
    CAST(coalesce(v.topic_id, -9223372036854775808) AS INTEGER),
    CASE WHEN i.question_id IS NULL THEN 1.0
         WHEN typeof(i.a) IN ('real', 'integer') THEN i.a END,
    CASE WHEN i.question_id IS NULL THEN 0.0
         WHEN typeof(i.b) IN ('real', 'integer') THEN i.b END,
    CASE WHEN i.question_id IS NULL THEN 0.2
         WHEN typeof(i.c) IN ('real', 'integer') THEN i.c END,
    CASE WHEN e.question_id IS NULL THEN 1.0
         WHEN typeof(e.sh_p) IN ('real', 'integer') THEN e.sh_p END,
    e.question_id IS NOT NULL,
    i.question_id IS NULL,
    CAST(p.question_id AS INTEGER) = p.question_id
        AND CAST(p.live_version AS INTEGER) = p.live_version
        AND coalesce(CAST(v.topic_id AS INTEGER) = v.topic_id, true)
FROM question_publications p
JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
LEFT JOIN item_calibration i
    ON i.question_id = p.question_id AND i.version = p.live_version AND i.model = '3pl'
LEFT JOIN item_exposure_control e
    ON e.question_id = p.question_id AND e.version = p.live_version
WHERE p.exam_code = :exam;

-- name: ids_of_whole_numbers
-- How many of the two columns that k are saved under turn into numbers whatever they are compared
-- with. In others a number that is saved may not be what stands elsewhere: text, or 11.0.
SELECT count(*) FROM pragma_table_info('item_exposure_control')
WHERE lower(name) IN ('question_id', 'version') AND type LIKE '%INT%';

-- name: stage_ids
-- Ids as they stand, and as they will once k are saved, in columns that compare as the tables' own.
CREATE TEMPORARY TABLE shsim_ids AS
SELECT
    p.question_id AS own_id, p.live_version AS own_version, v.topic_id,
    e.question_id AS k_id, e.version AS k_version,
    e.question_id AS saved_id, e.version AS saved_version
FROM question_publications p, question_versions v, item_exposure_control e
WHERE false;

-- name: copy_ids
INSERT INTO shsim_ids
SELECT
    p.question_id, p.live_version, v.topic_id, e.question_id, e.version,
    CAST(p.question_id AS INTEGER), CAST(p.live_version AS INTEGER)
FROM question_publications p
JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
LEFT JOIN item_exposure_control e
    ON e.question_id = p.question_id AND e.version = p.live_version
WHERE p.exam_code = :exam;

-- name: unnumbered_items
-- Of each: how it is stored, whether it is as it should be, and whether it is a whole number at all.
WITH seen AS (
    SELECT
        *,
        own_id = saved_id AS id_good, own_version = saved_version AS version_good,
        coalesce(CAST(topic_id AS INTEGER) = topic_id, true) AS topic_good,
        coalesce(k_id = saved_id, true) AS k_id_good,
        coalesce(k_version = saved_version, true) AS k_version_good
    FROM shsim_ids
)
SELECT
    substr(quote(own_id), 1, 60), id_good, CAST(own_id AS INTEGER) = own_id,
    substr(quote(own_version), 1, 60), version_good, CAST(own_version AS INTEGER) = own_version,
    substr(quote(topic_id), 1, 60), topic_good, false,
    substr(quote(k_id), 1, 60), k_id_good OR NOT id_good, true,
    substr(quote(k_version), 1, 60), k_version_good OR NOT version_good, true
FROM seen
WHERE NOT (id_good AND version_good AND topic_good AND k_id_good AND k_version_good);

-- name: shared_exams
SELECT other.exam_code, count(*)
FROM question_publications mine
JOIN question_versions v
    ON v.question_id = mine.question_id AND v.version = mine.live_version
    AND v.state = 'published'
JOIN question_publications other
    ON other.question_id = mine.question_id AND other.live_version = mine.live_version
WHERE mine.exam_code = :exam AND other.exam_code <> mine.exam_code
GROUP BY other.exam_code
ORDER BY other.exam_code;

-- name: other_publishers
-- Other exams that publish any of these items, and how many of them.
SELECT exam_code, count(*)
FROM question_publications
WHERE exam_code <> :exam AND (question_id, live_version) IN (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:items)
)
GROUP BY exam_code
ORDER BY exam_code;

-- name: rounding_k
-- A column's type is a wish here: no number that is put into it is rounded.
SELECT '' WHERE false;

-- name: stage_k
CREATE TEMPORARY TABLE shsim_k (
    question_id INTEGER, version INTEGER, sh_p REAL, PRIMARY KEY (question_id, version)
) WITHOUT ROWID;

-- name: copy_k
INSERT INTO shsim_k VALUES (?, ?, ?);

-- name: upsert_k
INSERT INTO item_exposure_control AS e (question_id, version, sh_p, updated_at)
SELECT question_id, version, sh_p, CURRENT_TIMESTAMP FROM shsim_k WHERE true
ON CONFLICT (question_id, version) DO UPDATE
SET sh_p = excluded.sh_p, updated_at = excluded.updated_at
WHERE e.sh_p IS NOT excluded.sh_p;

-- name: stage_pool
CREATE TEMPORARY TABLE shsim_pool (
    question_id INTEGER, version INTEGER, topic_id INTEGER,
    a REAL, b REAL, c REAL, sh_p REAL, PRIMARY KEY (question_id, version)
) WITHOUT ROWID;

-- name: copy_pool
INSERT INTO shsim_pool VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: count_imported
-- Items of the pool that stand as they are in it, by what the tables make of them.
SELECT count(*)
FROM shsim_pool n
JOIN question_publications p
    ON p.exam_code = :exam AND p.question_id = n.question_id AND p.live_version = n.version
JOIN question_versions v
    ON v.question_id = n.question_id AND v.version = n.version AND v.state = 'published'
LEFT JOIN item_calibration i
    ON i.question_id = n.question_id AND i.version = n.version AND i.model = '3pl'
LEFT JOIN item_exposure_control e
    ON e.question_id = n.question_id AND e.version = n.version
WHERE (n.topic_id IS NULL OR v.topic_id = n.topic_id)
    AND (n.a IS NULL OR (i.a = n.a AND i.b = n.b AND i.c = n.c))
    AND (n.sh_p IS NULL OR e.sh_p = n.sh_p);

-- name: import_versions
INSERT INTO question_versions AS v (question_id, version, topic_id, state)
SELECT question_id, version, topic_id, 'published' FROM shsim_pool WHERE true
ON CONFLICT (question_id, version) DO UPDATE
SET topic_id = coalesce(excluded.topic_id, v.topic_id), state = 'published'
WHERE v.state IS NOT 'published'
    OR v.topic_id IS NOT coalesce(excluded.topic_id, v.topic_id);

-- name: import_publications
INSERT INTO question_publications AS p (exam_code, question_id, live_version)
SELECT :exam, question_id, version FROM shsim_pool WHERE true
ON CONFLICT (exam_code, question_id) DO UPDATE SET live_version = excluded.live_version
WHERE p.live_version IS NOT excluded.live_version;

-- name: import_calibrations
INSERT INTO item_calibration AS i (question_id, version, model, a, b, c)
SELECT question_id, version, '3pl', a, b, c FROM shsim_pool WHERE a IS NOT NULL
ON CONFLICT (question_id, version, model) DO UPDATE
SET a = excluded.a, b = excluded.b, c = excluded.c
WHERE i.a IS NOT excluded.a OR i.b IS NOT excluded.b OR i.c IS NOT excluded.c;

-- name: import_k
INSERT INTO item_exposure_control AS e (question_id, version, sh_p, updated_at)
SELECT question_id, version, sh_p, CURRENT_TIMESTAMP FROM shsim_pool WHERE sh_p IS NOT NULL
ON CONFLICT (question_id, version) DO UPDATE
SET sh_p = excluded.sh_p, updated_at = excluded.updated_at
WHERE e.sh_p IS NOT excluded.sh_p;

-- name: columns
SELECT name FROM pragma_table_info(:table);

-- name: count_responses
-- Days as text, a day wider on either side than any zone reaches, so that the index on
-- created_at serves; then the moments themselves, however they are spelled.
SELECT CAST(question_id AS INTEGER), CAST(version AS INTEGER), count(*)
FROM user_responses
WHERE created_at >= :first_day AND created_at < :last_day
    AND datetime(created_at) >= :since AND datetime(created_at) < :until
    AND CAST(question_id AS INTEGER) = question_id AND CAST(version AS INTEGER) = version
GROUP BY question_id, version;

-- name: count_later_responses
SELECT count(*) FROM user_responses
WHERE created_at >= :until_day AND datetime(created_at) >= :until;

-- name: count_undated_responses
-- Of no moment that the windows could find: they compare days as text.
SELECT count(*) FROM user_responses
WHERE typeof(created_at) <> 'text' OR datetime(created_at) IS NULL
    OR created_at NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*';

-- name: published_elsewhere
-- Of the exam's items and of those attempted in the window: other exams may publish millions.
SELECT DISTINCT CAST(p.question_id AS INTEGER), CAST(p.live_version AS INTEGER)
FROM question_publications p
JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
WHERE p.exam_code <> :exam
    AND CAST(p.question_id AS INTEGER) = p.question_id
    AND CAST(p.live_version AS INTEGER) = p.live_version
    AND (p.question_id, p.live_version) IN (
        SELECT question_id, version FROM user_responses
        WHERE created_at >= :first_day AND created_at < :last_day
        UNION
        SELECT question_id, live_version FROM question_publications WHERE exam_code = :exam
    );

-- name: exposure_items
-- Days as text, so that the index on created_at serves (see count_responses). What was put
-- into sh_p or a topic and is no number is told as NULL; an item of no whole number is left out.
WITH live AS (
    SELECT DISTINCT v.question_id, v.version, v.topic_id
    FROM question_publications p
    JOIN question_versions v
        ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
    WHERE (:exam IS NULL OR p.exam_code = :exam)
        AND CAST(p.question_id AS INTEGER) = p.question_id
        AND CAST(p.live_version AS INTEGER) = p.live_version
), recent AS (
    SELECT question_id, version, count(*) AS attempts
    FROM user_responses
    WHERE created_at >= :first_day AND datetime(created_at) >= :since
    GROUP BY question_id, version
)
SELECT
    CAST(l.question_id AS INTEGER),
    CAST(l.version AS INTEGER),
    CASE WHEN CAST(l.topic_id AS INTEGER) = l.topic_id THEN CAST(l.topic_id AS INTEGER) END,
    CASE WHEN e.question_id IS NULL THEN 1.0
         WHEN typeof(e.sh_p) IN ('real', 'integer') AND abs(e.sh_p) < 9e999 THEN e.sh_p END,
    coalesce(r.attempts, 0)
FROM live l
LEFT JOIN item_exposure_control e ON e.question_id = l.question_id AND e.version = l.version
LEFT JOIN recent r ON r.question_id = l.question_id AND r.version = l.version
ORDER BY 5 DESC, 1, 2
LIMIT :limit OFFSET :offset;

-- name: count_live_items
SELECT count(*)
FROM (
    SELECT DISTINCT v.question_id, v.version
    FROM question_publications p
    JOIN question_versions v
        ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
    WHERE (:exam IS NULL OR p.exam_code = :exam)
        AND CAST(p.question_id AS INTEGER) = p.question_id
        AND CAST(p.live_version AS INTEGER) = p.live_version
) live;

-- name: publishers
SELECT p.exam_code
FROM question_versions v
LEFT JOIN question_publications p
    ON p.question_id = v.question_id AND p.live_version = v.version
WHERE v.question_id = :question_id AND v.version = :version
ORDER BY p.exam_code;
