-- A save looked at within its transaction, in the same words in both databases.

-- name: staged_no_k
-- NaN is greater than every number in PostgreSQL, and text in SQLite.
SELECT question_id, version, CAST(sh_p AS text)
FROM shsim_k
WHERE sh_p IS NULL OR sh_p < 0 OR sh_p > 1
ORDER BY question_id, version
LIMIT 20;

-- name: count_unsaved
SELECT count(*), min(n.question_id)
FROM shsim_k n
LEFT JOIN item_exposure_control e ON e.question_id = n.question_id AND e.version = n.version
WHERE e.sh_p IS NULL OR e.sh_p <> n.sh_p;
