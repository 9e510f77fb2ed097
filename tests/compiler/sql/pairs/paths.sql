-- What a person writes, and below --- what it means in SQLite's own words. Both are executed and must give the same.
SELECT q->SQL FROM queries
---
SELECT json_extract(q, '$.SQL') AS "q->SQL" FROM queries

SELECT q->user.Name AS who FROM queries
---
SELECT json_extract(q, '$.user.Name') AS who FROM queries

SELECT t.q->Args[0].Name AS first, t.q -> Args[-1] . Name AS last FROM queries t
---
SELECT json_extract(q, '$.Args[0].Name') AS first, json_extract(q, '$.Args[#-1].Name') AS last FROM queries

SELECT q->user->Name AS a, (q->user)->Name AS b, q->>user.Name AS c FROM queries
---
SELECT json_extract(q, '$.user.Name') AS a, json_extract(q, '$.user.Name') AS b, json_extract(q, '$.user.Name') AS c FROM queries

-- SQLite's own operators keep their meaning.
SELECT q->'$.SQL' AS json_text, q->>'$.SQL' AS bare_text, q->'user'->>'Name' AS chained FROM queries
---
SELECT json_quote(json_extract(q, '$.SQL')) AS json_text, json_extract(q, '$.SQL') AS bare_text, json_extract(q, '$.user.Name') AS chained FROM queries

SELECT q->'$.user'->Name AS a, q->user->'$.Name' AS b FROM queries
---
SELECT json_extract(q, '$.user.Name') AS a, json_quote(json_extract(q, '$.user.Name')) AS b FROM queries

-- Booleans are 0 and 1, null is NULL, what is not there is NULL, an object is JSON text.
SELECT q->Done AS done, q->Err AS err, q->Nowhere AS nowhere, q->user AS account, q->Args AS args FROM queries
---
SELECT json_extract(q, '$.Done') AS done, NULL AS err, NULL AS nowhere, json_extract(q, '$.user') AS account, json_extract(q, '$.Args') AS args FROM queries

-- A uint64 beyond int64 keeps all its digits, as text.
SELECT q->Big AS big, typeof(q->Big) AS kind FROM queries
---
SELECT '18446744073709551615' AS big, 'text' AS kind FROM queries

-- Fields may be called as SQL's keywords are, map keys as they like.
SELECT q->Select AS a, q->"$mark" AS b, q->Map["a b"] AS c, q->Map['it''s'] AS d, q->`Select` AS e FROM queries
---
SELECT 7 AS a, 8 AS b, 1 AS c, 2 AS d, 7 AS e FROM queries

-- A path binds tighter than any operator.
SELECT 'x' || q->user.Name || 'y' AS a, -q->N AS b, q->N * 2 + 1 AS c, NOT q->Done AS d FROM queries
---
SELECT 'x' || json_extract(q, '$.user.Name') || 'y' AS a, -json_extract(q, '$.N') AS b, json_extract(q, '$.N') * 2 + 1 AS c, NOT json_extract(q, '$.Done') AS d FROM queries

SELECT count(*) AS n FROM queries WHERE q->N > 4 AND q->user.Name IN ('ann', 'bob') GROUP BY q->Done ORDER BY q->Done
---
SELECT count(*) AS n FROM queries WHERE json_extract(q, '$.N') > 4 AND json_extract(q, '$.user.Name') IN ('ann', 'bob') GROUP BY json_extract(q, '$.Done') ORDER BY json_extract(q, '$.Done')

SELECT CASE WHEN q->N > 4 THEN q->SQL END->x AS a, coalesce(q->user, '{}')->Name AS b FROM (SELECT '{"SQL": "{\"x\": 1}", "N": 5}' AS q)
---
SELECT 1 AS a, NULL AS b

SELECT e.value->Name AS name FROM queries, json_each(q->Args) e ORDER BY 1
---
SELECT json_extract(e.value, '$.Name') AS name FROM queries, json_each(q, '$.Args') e ORDER BY 1

WITH named AS (SELECT q->user.Name AS who FROM queries) SELECT who, count(*) FROM named GROUP BY who ORDER BY who
---
SELECT json_extract(q, '$.user.Name') AS who, count(*) FROM queries GROUP BY 1 ORDER BY 1

SELECT q->N - q->M AS difference, sum(q->N) OVER (ORDER BY goroutine_id) AS total FROM queries ORDER BY goroutine_id
---
SELECT json_extract(q, '$.N') - json_extract(q, '$.M') AS difference, sum(json_extract(q, '$.N')) OVER (ORDER BY goroutine_id) AS total FROM queries ORDER BY goroutine_id

-- A column of an interface type is JSON text, which is more than any number; what is in it is compared as what it is.
SELECT v->"$type" AS kind, v->"$value" AS value, v->"$value" > 5 AS more, v > 5 AS held_more, v = 4 AS held_four, v BETWEEN 6 AND 9 AS held_between, v NOT IN (4, 7) AS held_others FROM (SELECT '{"$type":"int","$value":4}' AS v UNION ALL SELECT '{"$type":"main.State","$value":6}' UNION ALL SELECT '{"$type":"string","$value":"a"}' UNION ALL SELECT '{"$type":"int","$value":{"$absent":"budget"}}' UNION ALL SELECT '{"$type":"*main.T","$addr":"0xc000","X":1}' UNION ALL SELECT NULL)
---
SELECT * FROM (VALUES ('int', 4, 0, 0, 1, 0, 0), ('main.State', 6, 1, 1, 0, 1, 1), ('string', 'a', NULL, NULL, 0, NULL, 1), ('int', NULL, NULL, NULL, NULL, NULL, NULL), ('*main.T', NULL, NULL, NULL, 0, NULL, 1), (NULL, NULL, NULL, NULL, NULL, NULL, NULL))

SELECT v->>'$.$value' AS value FROM (SELECT '{"$type":"int","$value":4}' AS v UNION ALL SELECT NULL)
---
SELECT 4 AS value UNION ALL SELECT NULL
