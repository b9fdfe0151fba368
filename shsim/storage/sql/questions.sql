-- What both databases are asked in the same words.

-- name: touch_tables
SELECT
    EXISTS (SELECT 1 FROM question_publications),
    EXISTS (SELECT 1 FROM question_versions),
    EXISTS (SELECT 1 FROM item_calibration),
    EXISTS (SELECT 1 FROM item_exposure_control);

-- name: exams
SELECT p.exam_code, count(v.question_id)
FROM question_publications p
LEFT JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
GROUP BY p.exam_code
ORDER BY p.exam_code;

-- name: shared_items
SELECT a.exam_code, b.exam_code, count(*)
FROM question_publications a
JOIN question_versions v
    ON v.question_id = a.question_id AND v.version = a.live_version AND v.state = 'published'
-- DISTINCT changes no row: it keeps SQLite from scanning the other exam for each item.
JOIN (SELECT DISTINCT question_id, live_version, exam_code FROM question_publications) b
    ON b.question_id = a.question_id AND b.live_version = a.live_version
    AND b.exam_code > a.exam_code
GROUP BY a.exam_code, b.exam_code
ORDER BY a.exam_code, b.exam_code;

-- name: publications_without_version
SELECT p.exam_code, count(*), min(p.question_id)
FROM question_publications p
LEFT JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version
WHERE v.question_id IS NULL
GROUP BY p.exam_code
ORDER BY p.exam_code;

-- name: unpublished_live_versions
SELECT p.exam_code, count(*), min(p.question_id)
FROM question_publications p
JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version
WHERE v.state <> 'published' OR v.state IS NULL
GROUP BY p.exam_code
ORDER BY p.exam_code;
