-- SQLite's own SQL: what we make of each must give the same rows under the same column names.
SELECT * FROM queries ORDER BY goroutine_id

SELECT goroutine_id, count(*), sum(age_s), avg(age_s), max(age_s) - min(age_s), total(DISTINCT age_s) FROM queries GROUP BY 1

SELECT 7 / 2, 7 % 4, 7.0 / 2, -7 / 2, '7' + 1, 'x' + 1, NULL + 1, 1 || 2 + 3, 2 * 3 || 4, - - 5, ~5 + 1

SELECT age_s IS NULL, age_s IS NOT 3, age_s IS user, age_s ISNULL, age_s NOTNULL, user NOT NULL, age_s IS DISTINCT FROM 3 FROM queries

SELECT user GLOB 'a*', user LIKE 'A%', user LIKE 'a!%' ESCAPE '!', user COLLATE NOCASE = 'ANN', user NOT LIKE 'b%' FROM queries

SELECT goroutine_id % 3 AS third, group_concat(user, ', ') FROM queries GROUP BY third HAVING count(*) > 0 ORDER BY -third

SELECT sum(age_s) FILTER (WHERE age_s > 2), count(*) FILTER (WHERE user = 'ann') FROM queries

SELECT sum(age_s) OVER w - age_s, row_number() OVER (ORDER BY age_s DESC, goroutine_id) FROM queries WINDOW w AS (ORDER BY goroutine_id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE NO OTHERS)

SELECT iif(age_s > 2, 'old', 'new'), printf('%05.1f', age_s), CAST(age_s AS INTEGER), CAST('12abc' AS INTEGER) + 1, round(age_s * 10) / 10 FROM queries

SELECT strftime('%Y', '2026-01-02T03:04:05.5Z'), datetime('2026-01-02', '+1 day'), julianday('2026-01-02') - julianday('2026-01-01')

SELECT json_array(1, user), json_object('a', age_s), json_type(q, '$.N'), json_array_length(q, '$.Args') * 2 FROM queries

WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT n, n * n FROM c

SELECT a.user || '-' || b.user FROM queries a LEFT JOIN queries AS b ON a.goroutine_id = b.goroutine_id + 1 ORDER BY 1

SELECT user FROM queries UNION SELECT status FROM goroutines EXCEPT SELECT 'x' ORDER BY 1 LIMIT 2, 10

SELECT (SELECT max(age_s) - 1 FROM queries i WHERE i.user = o.user) * 2, EXISTS (SELECT 1 FROM goroutines g WHERE g.goroutine_id = o.goroutine_id) FROM queries o

SELECT user FROM queries WHERE (goroutine_id, user) IN (SELECT goroutine_id, user FROM queries WHERE age_s BETWEEN 1 + 1 AND 10 - 2)

SELECT CASE user WHEN 'ann' THEN age_s * 2 ELSE -1 END, CASE WHEN age_s > 3 THEN 1 END + 1 FROM queries

SELECT "user", [user], `user`, 'user', x'41' || '', 0x10 + 1, 1e3 * 2, .5 * 2, TRUE + TRUE FROM queries

SELECT DISTINCT user FROM queries JOIN goroutines USING (process_id, goroutine_id) WHERE goroutine_id IN (1, 2, 1 + 2) -- the end

SELECT /* a comment; with a semicolon */ 'it''s; here' AS t, count(*) * 2 FROM queries;

SELECT q.* , g.status FROM queries AS q NATURAL JOIN goroutines AS g ORDER BY q.goroutine_id

SELECT * FROM (SELECT user, age_s FROM queries ORDER BY age_s) WHERE age_s * 2 > 4

SELECT abs(-age_s), sum(age_s + 1), sum(age_s) * 1.0 / count(*), min(age_s, 3) - 1 FROM queries GROUP BY goroutine_id ORDER BY goroutine_id

SELECT * FROM (VALUES (1, 'a'), (2, 'b')) ORDER BY column1 DESC

SELECT user AS "a ""b""", age_s AS 'c' FROM queries q WHERE q.age_s >= 2 AND NOT q.user = 'bob' OR 1 = 0
