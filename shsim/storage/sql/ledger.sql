-- The ledger, asked and written in the same words in both databases; for SQLite the
-- parameters' spelling is changed (see shsim/storage/ledger.py).

-- name: schema_version
SELECT max(version) FROM shsim_schema;

-- name: note_migration
INSERT INTO shsim_schema (version) VALUES (%(version)s);

-- name: insert_run
INSERT INTO shsim_run (
    command, exam, started, finished, os_user, host, version, settings, seed, fingerprint,
    start, rejection, ability, tau, history, measures, outcome, message
) VALUES (
    %(command)s, %(exam)s, %(started)s, %(finished)s, %(os_user)s, %(host)s, %(version)s,
    %(settings)s, %(seed)s, %(fingerprint)s, %(start)s, %(rejection)s, %(ability)s, %(tau)s,
    %(history)s, %(measures)s, %(outcome)s, %(message)s
);

-- name: leftover_items
SELECT 1 FROM shsim_run_item WHERE run = %(run)s LIMIT 1;

-- name: insert_items
-- Before k are written: what stands in the table, as it stands, beside what is about to.
INSERT INTO shsim_run_item (run, question_id, version, k_before, k_after)
SELECT %(run)s, n.question_id, n.version, e.sh_p, n.sh_p
FROM shsim_k n
LEFT JOIN item_exposure_control e ON e.question_id = n.question_id AND e.version = n.version;

-- name: count_items_kept
-- Before k are written: how many items of a run are on record; how many of them with the k that
-- stands in the table and the one about to; how many there should be; and sums over all of them.
SELECT
    count(*),
    coalesce(sum(CASE
        WHEN n.sh_p = i.k_after
            AND (e.sh_p = i.k_before OR (e.sh_p IS NULL AND i.k_before IS NULL)) THEN 1
        ELSE 0
    END), 0),
    (SELECT count(*) FROM shsim_k),
    ITEM_SUMS
FROM shsim_run_item i
LEFT JOIN shsim_k n ON n.question_id = i.question_id AND n.version = i.version
LEFT JOIN item_exposure_control e ON e.question_id = i.question_id AND e.version = i.version
WHERE i.run = %(run)s;

-- name: sum_items
SELECT count(*), ITEM_SUMS FROM shsim_run_item i WHERE i.run = %(run)s;

-- name: is_recorded
-- A number alone could be given out again after a crash of the server.
SELECT 1 FROM shsim_run WHERE id = %(run)s AND started = %(started)s AND host = %(host)s;

-- name: history
-- Moments as text: a driver refuses the whole list for one that Python cannot hold.
SELECT id, command, exam, CAST(started AS text), CAST(finished AS text), database_user,
    os_user, host, version, settings, seed, fingerprint, start, rejection, ability, tau, '[]',
    measures, outcome, message
FROM shsim_run
ORDER BY id DESC
LIMIT %(limit)s;

-- name: history_of_exam
SELECT id, command, exam, CAST(started AS text), CAST(finished AS text), database_user,
    os_user, host, version, settings, seed, fingerprint, start, rejection, ability, tau, '[]',
    measures, outcome, message
FROM shsim_run
WHERE exam = %(exam)s
ORDER BY id DESC
LIMIT %(limit)s;

-- name: count_runs
SELECT count(*) FROM shsim_run;

-- name: count_runs_of_exam
SELECT count(*) FROM shsim_run WHERE exam = %(exam)s;

-- name: exams_on_record
SELECT DISTINCT exam FROM shsim_run ORDER BY exam;

-- name: run
SELECT id, command, exam, CAST(started AS text), CAST(finished AS text), database_user,
    os_user, host, version, settings, seed, fingerprint, start, rejection, ability, tau, history,
    measures, outcome, message
FROM shsim_run
WHERE id = %(run)s;

-- name: items
SELECT question_id, version, k_before, k_after, k_before IS NULL
FROM shsim_run_item
WHERE run = %(run)s
ORDER BY question_id, version;

-- name: items_to_restore
-- What a rollback would do, as its record would tell it: from the k in force to those before the run.
SELECT i.question_id, i.version, CAST(e.sh_p AS double precision), coalesce(i.k_before, 1),
    e.sh_p IS NULL
FROM shsim_run_item i
LEFT JOIN item_exposure_control e ON e.question_id = i.question_id AND e.version = i.version
WHERE i.run = %(run)s
ORDER BY i.question_id, i.version;

-- name: saved_calibrations
SELECT id FROM shsim_run
WHERE exam = %(exam)s AND command = 'calibrate' AND outcome = 'saved'
ORDER BY id DESC
LIMIT %(limit)s;

-- name: newest_saved
SELECT id FROM shsim_run
WHERE exam = %(exam)s AND outcome = 'saved'
ORDER BY id DESC
LIMIT 1;

-- name: newest_whole
-- The newest that was not of one item alone; where all were, the newest of these.
SELECT id FROM shsim_run
WHERE exam = %(exam)s AND outcome = 'saved'
ORDER BY
    CASE
        WHEN command IN ('set', 'rollback')
            AND (SELECT count(*) FROM shsim_run_item i WHERE i.run = shsim_run.id) < 2 THEN 1
        ELSE 0
    END,
    id DESC
LIMIT 1;

-- name: other_exams
SELECT DISTINCT exam FROM shsim_run WHERE exam <> %(exam)s;

-- name: exam_size
SELECT count(*) FROM question_publications WHERE exam_code = %(exam)s;

-- name: wrote_more
-- Did a run write more items than so many?
SELECT 1 FROM shsim_run_item WHERE run = %(run)s LIMIT 1 OFFSET %(size)s;

-- name: wrote_any
-- Did a run write a live item of an exam? Asked item by item of that run, to the first: as a join a
-- planner without statistics may read all that all runs wrote, or the one table for each row.
SELECT 1
FROM shsim_run_item i
WHERE i.run = %(run)s AND (
    SELECT count(*) FROM question_publications p
    WHERE p.exam_code = %(exam)s AND p.question_id = i.question_id AND p.live_version = i.version
) > 0
LIMIT 1;

-- name: any_written
-- The same, asked item by item of the exam.
SELECT 1
FROM question_publications p
WHERE p.exam_code = %(exam)s AND (
    SELECT count(*) FROM shsim_run_item i
    WHERE i.run = %(run)s AND i.question_id = p.question_id AND i.version = p.live_version
) > 0
LIMIT 1;

-- name: makers
-- k of an exam's live items below a bound, by the run that left them so; null: none that is asked.
SELECT m.run, count(*)
FROM (
    SELECT CASE BRANCHES END AS run
    FROM question_publications p
    JOIN question_versions v
        ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
    JOIN item_exposure_control e ON e.question_id = p.question_id AND e.version = p.live_version
    WHERE p.exam_code = %(exam)s AND e.sh_p < %(bound)s
) m
GROUP BY m.run;

-- name: left_so
WHEN EXISTS (
    SELECT 1 FROM shsim_run_item i
    WHERE i.run = RUN AND i.question_id = e.question_id AND i.version = e.version
        AND i.k_after = e.sh_p
) THEN RUN;

-- name: stage_rollback
-- Where no k was stored before, 1 is what its absence meant.
INSERT INTO shsim_k (question_id, version, sh_p)
SELECT question_id, version, coalesce(k_before, 1)
FROM shsim_run_item
WHERE run = %(run)s;

-- name: count_moved_on
SELECT count(*)
FROM shsim_run_item i
LEFT JOIN item_exposure_control e ON e.question_id = i.question_id AND e.version = i.version
WHERE i.run = %(run)s AND (e.sh_p IS NULL OR e.sh_p <> i.k_after);

-- name: moved_on
-- Items whose k is no longer what the run left, and the last later run that wrote it.
SELECT i.question_id, i.version, i.k_after, e.sh_p, (
    SELECT max(r.id)
    FROM shsim_run r
    JOIN shsim_run_item l
        ON l.run = r.id AND l.question_id = i.question_id AND l.version = i.version
    WHERE r.id > i.run AND r.outcome = 'saved' AND l.k_after = e.sh_p
)
FROM shsim_run_item i
LEFT JOIN item_exposure_control e ON e.question_id = i.question_id AND e.version = i.version
WHERE i.run = %(run)s AND (e.sh_p IS NULL OR e.sh_p <> i.k_after)
ORDER BY i.question_id, i.version
LIMIT %(limit)s;

-- name: count_not_as_before
-- Of the items of a run: how many do not have the k before it.
SELECT count(*)
FROM shsim_run_item i
LEFT JOIN item_exposure_control e ON e.question_id = i.question_id AND e.version = i.version
WHERE i.run = %(run)s AND (e.sh_p IS NULL OR e.sh_p <> coalesce(i.k_before, 1));

-- name: later_rollbacks
-- Of other exams' runs too, which may share items.
SELECT id, settings FROM shsim_run
WHERE id > %(run)s AND command = 'rollback' AND outcome = 'saved'
ORDER BY id DESC;

-- name: later_writers
-- Later runs that left an item the k that it has.
SELECT r.id
FROM shsim_run r
JOIN shsim_run_item l
    ON l.run = r.id AND l.question_id = %(question_id)s AND l.version = %(version)s
JOIN item_exposure_control e ON e.question_id = l.question_id AND e.version = l.version
WHERE r.id > %(run)s AND r.outcome = 'saved' AND l.k_after = e.sh_p
ORDER BY r.id DESC;

-- name: still_live
-- Live items of an exam, and how many of them are of a run.
SELECT count(*), count(i.run)
FROM question_publications p
JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
LEFT JOIN shsim_run_item i
    ON i.run = %(run)s AND i.question_id = p.question_id AND i.version = p.live_version
WHERE p.exam_code = %(exam)s;

-- name: count_changed
-- Live items of an exam whose k in force are not what a run left.
SELECT count(*)
FROM shsim_run_item i
JOIN question_publications p
    ON p.question_id = i.question_id AND p.live_version = i.version AND p.exam_code = %(exam)s
LEFT JOIN item_exposure_control e ON e.question_id = i.question_id AND e.version = i.version
WHERE i.run = %(run)s AND coalesce(e.sh_p, 1) <> i.k_after;

-- name: changed_by_others
-- Live items of an exam whose k runs of other exams have changed since a moment, and the last run.
SELECT count(*), max(c.last)
FROM (
    SELECT i.question_id, max(r.id) AS last
    FROM shsim_run r
    JOIN shsim_run_item i ON i.run = r.id
    JOIN question_publications p
        ON p.question_id = i.question_id AND p.live_version = i.version AND p.exam_code = %(exam)s
    WHERE r.outcome = 'saved' AND r.exam <> %(exam)s AND r.finished > %(since)s
        AND coalesce(i.k_before, 1) <> i.k_after
    GROUP BY i.question_id
) c;

-- name: changed_off_record
-- Live items of an exam whose k are what neither a run nor any after it left: an import's, a
-- hand's, or an unrecorded run's. Those that are stamped as changed after the run's end, and before
-- the moment, are not meant; a hand may have left the run's own stamp.
SELECT count(*)
FROM shsim_run_item i
JOIN question_publications p
    ON p.question_id = i.question_id AND p.live_version = i.version AND p.exam_code = %(exam)s
LEFT JOIN item_exposure_control e ON e.question_id = i.question_id AND e.version = i.version
LEFT JOIN (
    SELECT DISTINCT l.question_id, l.version
    FROM shsim_run_item l
    JOIN item_exposure_control n
        ON n.question_id = l.question_id AND n.version = l.version AND n.sh_p = l.k_after
    WHERE l.run > %(run)s
) w ON w.question_id = i.question_id AND w.version = i.version
WHERE i.run = %(run)s AND w.question_id IS NULL AND coalesce(e.sh_p, 1) <> i.k_after
    AND (e.updated_at IS NULL OR e.updated_at <= %(ended)s OR e.updated_at > %(since)s);
