-- name: load_pool
-- No value is NULL and every type is fixed, so that the binary rows have one width.
SELECT
    p.question_id::bigint,
    p.live_version::bigint,
    coalesce(v.topic_id::bigint, (-9223372036854775807 - 1)::bigint),
    CASE WHEN i.question_id IS NULL THEN 1 ELSE coalesce(i.a::float8, 'NaN') END::float8,
    CASE WHEN i.question_id IS NULL THEN 0 ELSE coalesce(i.b::float8, 'NaN') END::float8,
    CASE WHEN i.question_id IS NULL THEN 0.2 ELSE coalesce(i.c::float8, 'NaN') END::float8,
    CASE WHEN e.question_id IS NULL THEN 1 ELSE coalesce(e.sh_p::float8, 'NaN') END::float8,
    e.question_id IS NOT NULL,
    i.question_id IS NULL
FROM question_publications p
JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
LEFT JOIN item_calibration i
    ON i.question_id = p.question_id AND i.version = p.live_version AND i.model = '3pl'
LEFT JOIN item_exposure_control e
    ON e.question_id = p.question_id AND e.version = p.live_version
WHERE p.exam_code = %(exam)s;

-- name: shared_exams
SELECT other.exam_code, count(*)
FROM question_publications mine
JOIN question_versions v
    ON v.question_id = mine.question_id AND v.version = mine.live_version
    AND v.state = 'published'
JOIN question_publications other
    ON other.question_id = mine.question_id AND other.live_version = mine.live_version
WHERE mine.exam_code = %(exam)s AND other.exam_code <> mine.exam_code
GROUP BY other.exam_code
ORDER BY other.exam_code;

-- name: other_publishers
-- Other exams that publish any of these items, and how many of them.
SELECT p.exam_code, count(*)
FROM unnest(%(questions)s::bigint[], %(versions)s::bigint[]) i(question_id, version)
JOIN question_publications p
    ON p.question_id = i.question_id AND p.live_version = i.version
WHERE p.exam_code <> %(exam)s
GROUP BY p.exam_code
ORDER BY p.exam_code;

-- name: lock_exam
SELECT pg_try_advisory_lock(%(key)s);

-- name: lock_exam_for_transaction
SELECT pg_try_advisory_xact_lock(%(key)s);

-- name: wait_for_lock
SELECT pg_advisory_xact_lock(%(key)s);

-- name: unlock_exam
SELECT pg_advisory_unlock(%(key)s);

-- name: lock_holder
-- When it got the lock is nobody's to know; behind a pooler, its open transaction began then.
SELECT l.pid, s.usename, s.application_name, host(s.client_addr),
    CASE WHEN s.state = 'idle in transaction' THEN 'in a transaction' ELSE 'connected' END,
    CASE WHEN s.state = 'idle in transaction' THEN s.xact_start ELSE s.backend_start END
FROM pg_locks l
LEFT JOIN pg_stat_activity s ON s.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (l.classid::bigint << 32) | l.objid::bigint = %(key)s
    AND l.pid <> pg_backend_pid();

-- name: stay_open
-- The second is younger than some servers. No table is read, whose lock would be kept.
SELECT
    set_config('idle_in_transaction_session_timeout', '0', true),
    CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL
        THEN set_config('transaction_timeout', '0', true) END;

-- name: cannot_write
-- Not transaction_read_only, which is also said of a transaction that we mean to write nothing in.
SELECT current_setting('default_transaction_read_only') = 'on' OR pg_is_in_recovery();

-- name: this_session
SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid();

-- name: end_query
SELECT pg_cancel_backend(%(pid)s);

-- name: end_session
-- Our own former session, whose connection broke without the server's knowing.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE pid = %(pid)s AND backend_start::text = %(started)s;

-- name: every_digit
-- A session may be set to give numbers as text with fewer. Before PostgreSQL 12 it took 3.
SET LOCAL extra_float_digits = 3;

-- name: limit_waiting
SELECT set_config(
    'lock_timeout',
    CASE current_setting('lock_timeout') WHEN '0' THEN %(lock_timeout)s
        ELSE current_setting('lock_timeout') END,
    true
);

-- name: stage_first
-- Who names pg_temp in search_path puts it last, for safety: a table that has the name of what is
-- staged here would be taken in its place, to the end of this transaction.
SELECT set_config('search_path', 'pg_temp, ' || current_setting('search_path'), true)
WHERE strpos(current_setting('search_path'), 'pg_temp') > 0;

-- name: stage_k
-- The types are the table's own, so that what it would round compares equal.
CREATE TEMPORARY TABLE shsim_k ON COMMIT DROP AS
SELECT question_id, version, sh_p FROM item_exposure_control WITH NO DATA;

-- name: copy_k
COPY shsim_k (question_id, version, sh_p) FROM STDIN;

-- name: count_staged
SELECT count(*) FROM shsim_k;

-- name: lock_rows
SELECT count(*) FROM (
    SELECT 1
    FROM item_exposure_control e
    JOIN shsim_k n ON n.question_id = e.question_id AND n.version = e.version
    ORDER BY e.question_id, e.version
    FOR UPDATE OF e
) locked;

-- name: update_k
UPDATE item_exposure_control e
SET sh_p = n.sh_p, updated_at = now()
FROM shsim_k n
WHERE n.question_id = e.question_id AND n.version = e.version
    AND e.sh_p IS DISTINCT FROM n.sh_p;

-- name: insert_k
INSERT INTO item_exposure_control (question_id, version, sh_p, updated_at)
SELECT n.question_id, n.version, n.sh_p, now()
FROM shsim_k n
WHERE NOT EXISTS (
    SELECT 1 FROM item_exposure_control e
    WHERE e.question_id = n.question_id AND e.version = n.version
)
ORDER BY n.question_id, n.version
ON CONFLICT DO NOTHING;

-- name: end_deferring
-- Triggers that a COMMIT would fire act before the reading back.
SET CONSTRAINTS ALL IMMEDIATE;

-- name: stage_pool
-- The types are the tables' own, so that what they would round compares equal.
CREATE TEMPORARY TABLE shsim_pool ON COMMIT DROP AS
SELECT v.question_id, v.version, v.topic_id, i.a, i.b, i.c, e.sh_p
FROM question_versions v, item_calibration i, item_exposure_control e WITH NO DATA;

-- name: stored_types
-- Of the columns of `shsim_pool`, in their order.
SELECT format_type(a.atttypid, a.atttypmod)
FROM (VALUES
    (1, 'question_versions', 'question_id'), (2, 'question_versions', 'version'),
    (3, 'question_versions', 'topic_id'), (4, 'item_calibration', 'a'),
    (5, 'item_calibration', 'b'), (6, 'item_calibration', 'c'),
    (7, 'item_exposure_control', 'sh_p')
) w(place, table_name, column_name)
JOIN pg_attribute a
    ON a.attrelid = to_regclass(w.table_name) AND a.attname = w.column_name AND NOT a.attisdropped
ORDER BY w.place;

-- name: copy_pool
COPY shsim_pool (question_id, version, topic_id, a, b, c, sh_p) FROM STDIN;

-- name: count_imported
-- Items of the pool that stand as they are in it, by what the tables make of them.
SELECT count(*)
FROM shsim_pool n
JOIN question_publications p
    ON p.exam_code = %(exam)s AND p.question_id = n.question_id AND p.live_version = n.version
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
SELECT question_id, version, topic_id, 'published' FROM shsim_pool ORDER BY 1, 2
ON CONFLICT (question_id, version) DO UPDATE
SET topic_id = coalesce(excluded.topic_id, v.topic_id), state = 'published'
WHERE v.state IS DISTINCT FROM 'published'
    OR v.topic_id IS DISTINCT FROM coalesce(excluded.topic_id, v.topic_id);

-- name: import_publications
INSERT INTO question_publications AS p (exam_code, question_id, live_version)
SELECT %(exam)s, question_id, version FROM shsim_pool ORDER BY 2
ON CONFLICT (exam_code, question_id) DO UPDATE SET live_version = excluded.live_version
WHERE p.live_version IS DISTINCT FROM excluded.live_version;

-- name: import_calibrations
INSERT INTO item_calibration AS i (question_id, version, model, a, b, c)
SELECT question_id, version, '3pl', a, b, c FROM shsim_pool WHERE a IS NOT NULL ORDER BY 1, 2
ON CONFLICT (question_id, version, model) DO UPDATE
SET a = excluded.a, b = excluded.b, c = excluded.c
WHERE (i.a, i.b, i.c) IS DISTINCT FROM (excluded.a, excluded.b, excluded.c);

-- name: import_k
INSERT INTO item_exposure_control AS e (question_id, version, sh_p, updated_at)
SELECT question_id, version, sh_p, now() FROM shsim_pool WHERE sh_p IS NOT NULL ORDER BY 1, 2
ON CONFLICT (question_id, version) DO UPDATE
SET sh_p = excluded.sh_p, updated_at = excluded.updated_at
WHERE e.sh_p IS DISTINCT FROM excluded.sh_p;

-- name: columns
SELECT attname::text FROM pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped;

-- name: places
-- Each table's number (NULL: there is none), its schema, and whether this role may use that.
-- The search path holds schemas by name, quoted or not, and "$user".
WITH path AS (
    SELECT CASE
        WHEN part = '"$user"' THEN current_user
        WHEN part LIKE '"%%"' THEN replace(trim(BOTH '"' FROM part), '""', '"')
        ELSE lower(part)
    END AS schema
    FROM (
        SELECT (regexp_matches(
            current_setting('search_path'), '"(?:[^"]|"")*"|[^,\s]+', 'g'
        ))[1] AS part
    ) parts
)
SELECT w.name, found.number, found.schema, coalesce(found.usable, true)
FROM unnest(%(tables)s::text[]) w(name)
LEFT JOIN LATERAL (
    SELECT
        c.oid::bigint AS number,
        quote_ident(n.nspname) AS schema,
        has_schema_privilege(n.oid, 'USAGE') AS usable
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = w.name AND (
        c.oid = to_regclass(quote_ident(w.name))
        OR NOT has_schema_privilege(n.oid, 'USAGE') AND n.nspname IN (SELECT schema FROM path)
    )
    ORDER BY 3 DESC, 2
    LIMIT 1
) found ON true;

-- name: privileges
SELECT
    has_table_privilege(to_regclass(%(table)s), 'SELECT'),
    has_table_privilege(to_regclass(%(table)s), 'INSERT'),
    has_table_privilege(to_regclass(%(table)s), 'UPDATE');

-- name: rounding_k
-- The type of sh_p where it keeps fewer than four decimals; a domain's is what it is made of, which
-- may be a domain again. The low eleven bits of a numeric's modifier, less 4, are its scale with
-- its sign.
WITH RECURSIVE its AS (
    SELECT format_type(a.atttypid, a.atttypmod) AS name, a.atttypid AS kind, a.atttypmod AS modifier
    FROM pg_attribute a
    WHERE a.attrelid = to_regclass('item_exposure_control') AND a.attname = 'sh_p'
        AND NOT a.attisdropped
    UNION ALL
    SELECT its.name, t.typbasetype, t.typtypmod
    FROM its
    JOIN pg_type t ON t.oid = its.kind AND t.typtype = 'd'
)
SELECT its.name
FROM its
WHERE its.kind IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
    OR its.kind = 'numeric'::regtype AND its.modifier >= 4
    AND (((its.modifier - 4) & 2047) # 1024) - 1024 < 4;

-- name: hidden_rows
SELECT coalesce(row_security_active(oid), false), relkind = 'v'
FROM pg_class
WHERE oid = to_regclass('item_exposure_control');

-- name: role_and_database
SELECT quote_ident(current_user), quote_ident(current_database());

-- name: lacking_columns
SELECT w.table_name, w.privilege
FROM unnest(
    %(tables)s::text[], %(privileges)s::text[], %(numbers)s::bigint[], %(columns)s::text[]
) WITH ORDINALITY w(table_name, privilege, number, column_name, place)
JOIN pg_attribute a
    ON a.attrelid = w.number::oid AND a.attname = w.column_name AND NOT a.attisdropped
GROUP BY w.table_name, w.privilege
HAVING NOT bool_and(has_column_privilege(a.attrelid, a.attnum, w.privilege))
ORDER BY min(w.place);

-- name: lacking_sequences
-- Of the tables' own defaults; an identity column asks for none. CASE keeps the order.
SELECT DISTINCT s.oid::regclass::text
FROM pg_attrdef f
JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
    AND d.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.oid = d.refobjid
WHERE f.adrelid IN (SELECT number::oid FROM unnest(%(numbers)s::bigint[]) number)
    AND CASE s.relkind WHEN 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE, UPDATE') END
ORDER BY 1;

-- name: may_make_temporary
SELECT has_database_privilege(current_database(), 'TEMPORARY');

-- name: count_responses
-- Of the window alone, so that the index on created_at serves.
SELECT question_id::bigint, version::bigint, count(*)
FROM user_responses
WHERE created_at >= %(since)s AND created_at < %(until)s
    AND question_id IS NOT NULL AND version IS NOT NULL
GROUP BY question_id, version;

-- name: count_later_responses
SELECT count(*) FROM user_responses WHERE created_at >= %(until)s;

-- name: count_undated_responses
SELECT count(*) FROM user_responses WHERE created_at IS NULL;

-- name: published_elsewhere
-- Of the exam's items and of those attempted in the window: other exams may publish millions.
SELECT DISTINCT p.question_id::bigint, p.live_version::bigint
FROM question_publications p
JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
WHERE p.exam_code <> %(exam)s
    AND (p.question_id, p.live_version) IN (
        SELECT question_id, version FROM user_responses
        WHERE created_at >= %(since)s AND created_at < %(until)s
        UNION
        SELECT question_id, live_version FROM question_publications WHERE exam_code = %(exam)s
    );

-- name: exposure_items
-- An sh_p that is NaN (which counts as greater than Infinity) or infinite is told as NULL.
WITH live AS (
    SELECT DISTINCT v.question_id, v.version, v.topic_id
    FROM question_publications p
    JOIN question_versions v
        ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
    WHERE %(exam)s::text IS NULL OR p.exam_code = %(exam)s
), recent AS (
    SELECT question_id, version, count(*) AS attempts
    FROM user_responses
    WHERE created_at >= %(since)s
    GROUP BY question_id, version
)
SELECT
    l.question_id::bigint,
    l.version::bigint,
    l.topic_id::bigint,
    CASE WHEN e.question_id IS NULL THEN 1
         WHEN abs(e.sh_p::float8) < 'Infinity' THEN e.sh_p::float8 END,
    coalesce(r.attempts, 0)
FROM live l
LEFT JOIN item_exposure_control e ON e.question_id = l.question_id AND e.version = l.version
LEFT JOIN recent r ON r.question_id = l.question_id AND r.version = l.version
ORDER BY 5 DESC, 1, 2
LIMIT %(limit)s OFFSET %(offset)s;

-- name: count_live_items
SELECT count(DISTINCT (v.question_id, v.version))
FROM question_publications p
JOIN question_versions v
    ON v.question_id = p.question_id AND v.version = p.live_version AND v.state = 'published'
WHERE %(exam)s::text IS NULL OR p.exam_code = %(exam)s;

-- name: publishers
SELECT p.exam_code
FROM question_versions v
LEFT JOIN question_publications p
    ON p.question_id = v.question_id AND p.live_version = v.version
WHERE v.question_id = %(question_id)s AND v.version = %(version)s
ORDER BY p.exam_code;
