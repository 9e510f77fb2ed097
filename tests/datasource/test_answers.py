"""What Grafana asks, in the bodies that its simPod JSON plugin sends, and what it gets."""

import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest

from tests.house import ACCESS, House

BODY = {
    "app": "dashboard",
    "requestId": "SQR100",
    "timezone": "utc",
    "range": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z", "raw": {"from": "now-1h", "to": "now"}},
    "interval": "5s",
    "intervalMs": 5000,
    "maxDataPoints": 580,
    "panelId": "Q-1",
    "scopedVars": {"undefined": {}, "__interval": {"text": "5s", "value": "5s"}},
}


def ask(house: House, target: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
    """One query's table."""
    query = {"refId": "B", "target": target, "payload": payload or {}, "editorMode": "code"}
    [table] = house.post("/query", {**BODY, "targets": [query]})
    assert isinstance(table, dict)
    return table


def column(table: dict[str, Any], name: str) -> list[Any]:
    """A column's cells."""
    index = [each["text"] for each in table["columns"]].index(name)
    return [row[index] for row in table["rows"]]


@pytest.fixture(scope="module")
def taken(house: House) -> str:
    """The id of a snapshot."""
    snapshot_id = house.post("/api/v1/snapshots", {})["snapshot_id"]
    assert isinstance(snapshot_id, str)
    return snapshot_id


def test_health(house: House) -> None:
    assert house.get("/") == {"status": "ok", "agents": 1}


def test_metrics_list_what_can_be_asked(house: House) -> None:
    metrics = {each["value"]: each for each in house.post("/metrics", {"metric": "", "payload": {}})}
    assert {"oldest_queries", "queries", "goroutines", "frames", "sql", "snapshots"} <= metrics.keys()
    assert [p["name"] for p in metrics["sql"]["payloads"]] == ["snapshot", "max_age_s", "sql"]
    assert {p["type"] for each in metrics.values() for p in each["payloads"]} <= {"input", "select", "textarea"}


def test_the_oldest_query_of_all_processes_is_first(house: House, taken: str) -> None:
    table = ask(house, "oldest_queries", {"snapshot": taken})
    assert table["type"] == "table"
    assert table["refId"] == "B"
    assert [c["text"] for c in table["columns"]] == ["goroutine_id", "user", "sql", "age_s", "snapshot_id"]
    types = {c["text"]: c["type"] for c in table["columns"]}
    assert types == {
        "goroutine_id": "number",
        "user": "string",
        "sql": "string",
        "age_s": "number",
        "snapshot_id": "string",
    }
    ages = column(table, "age_s")
    assert len(ages) == 5 + 3
    assert ages == sorted(ages, reverse=True)
    assert next(c["unit"] for c in table["columns"] if c["text"] == "age_s") == "s"
    assert set(column(table, "snapshot_id")) == {taken}
    assert table["meta"]["notices"] == []


def test_red_above_colours_a_column(house: House, taken: str) -> None:
    table = ask(house, "oldest_queries", {"snapshot": taken, "red_above": {"age_s": "30"}})
    [age] = [c for c in table["columns"] if c["text"] == "age_s"]
    assert age["thresholds"]["steps"] == [{"color": "green", "value": None}, {"color": "red", "value": 30}]
    assert age["custom"]["cellOptions"]["type"] == "color-background"


def test_processes_are_told_apart(house: House, taken: str) -> None:
    table = ask(house, "processes", {"snapshot": taken})
    assert sorted(column(table, "pid")) == sorted(target.pid for target in house.targets)
    assert set(column(table, "engine")) == {"ebpf"}
    assert set(column(table, "program")) == {"querydb"}
    counts = ask(house, "sql", {"snapshot": taken, "sql": "SELECT process_id, count(*) AS n FROM queries GROUP BY 1"})
    assert sorted(column(counts, "n")) == [3, 5]


def test_a_goroutines_stack(house: House, taken: str) -> None:
    [process, goroutine] = ask(
        house, "sql", {"snapshot": taken, "sql": "SELECT process_id, goroutine_id FROM queries ORDER BY 1, 2 LIMIT 1"}
    )["rows"][0][:2]
    where = {"snapshot": taken, "process_id": str(process), "goroutine_id": str(goroutine)}
    stack = ask(house, "frames", where)
    assert "main.(*Session).execute" in column(stack, "function")
    assert column(stack, "depth") == list(range(len(stack["rows"])))
    assert column(ask(house, "goroutines", where), "goroutine_id") == [goroutine]


def test_the_newest_is_taken_unless_it_is_too_old(house: House, taken: str) -> None:
    assert column(ask(house, "processes", {"max_age_s": "3600"}), "snapshot_id")[0] >= taken
    newest = column(ask(house, "processes", {"snapshot": "latest"}), "snapshot_id")[0]
    again = column(ask(house, "processes", {"max_age_s": "3600"}), "snapshot_id")[0]
    assert again == newest
    new = column(ask(house, "processes", {"max_age_s": 0}), "snapshot_id")[0]
    assert new > newest
    assert column(ask(house, "snapshots"), "snapshot_id")[0] == new


def test_panels_that_ask_together_share_a_snapshot(house: House) -> None:
    before = len(ask(house, "snapshots")["rows"])
    found: list[str] = []

    def panel() -> None:
        found.append(column(ask(house, "processes", {"max_age_s": 0.5}), "snapshot_id")[0])

    panels = [threading.Thread(target=panel) for _ in range(8)]
    for each in panels:
        each.start()
    for each in panels:
        each.join()
    assert len(found) == 8
    assert len(ask(house, "snapshots")["rows"]) - before <= 2


def test_a_snapshot_is_a_file_that_any_sqlite_reads(house: House, taken: str) -> None:
    data = house.get(f"/api/v1/snapshots/{taken}.sqlite")
    assert data[:15] == b"SQLite format 3"
    with closing(sqlite3.connect(house.snapshots / f"{taken}.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM oldest_queries").fetchone() == (8,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_constants_have_their_names_in_every_processes_rows(house: House, taken: str) -> None:
    names = {1: "txnActive", 2: "txnCommitted", 3: "txnRolledBack"}
    sql = "SELECT process_id, state, state_name FROM transactions"
    table = ask(house, "sql", {"snapshot": taken, "sql": sql})
    assert column(table, "state_name") == [names[state] for state in column(table, "state")]
    assert set(column(table, "process_id")) == {1, 2}


def test_variables_list_snapshots(house: House, taken: str) -> None:
    found = house.post("/variable", {"payload": {"target": "snapshots"}, "range": {}})
    assert found[0] == {"__text": "latest", "__value": "latest"}
    assert taken in [each["__value"] for each in found]
    options = house.post("/metric-payload-options", {"metric": "sql", "payload": {}, "name": "snapshot"})
    assert options[0]["value"] == "latest"


@pytest.mark.parametrize(
    ("target", "payload", "sentence"),
    [
        ("oldest_querys", {}, 'no table "oldest_querys" in snapshot'),
        ("sql", {}, 'the payload has no SQL; write "sql": "SELECT ...", or choose a table'),
        ("sql", {"sql": "DROP TABLE frames"}, "found DROP, only a SELECT may stand here"),
        ("sql", {"sql": "SELECT nope FROM frames"}, "no such column: nope"),
        ("sql", {"sql": "SELECT enum_name(state) FROM transactions"}, "enum_name() needs the binary"),
        ("sql", {"sql": "SELECT ago(start) FROM transactions"}, "write ago(time, captured_at_ns)"),
        (
            "sql",
            {"sql": "SELECT uuid(id) FROM transactions"},
            "uuid() takes 16 bytes or the 36 characters of a UUID, got",
        ),
        ("queries", {"snapshot": "nope"}, 'no snapshot "nope"; write "latest" or an id'),
        ("queries", {"snapshot": "../../etc/passwd"}, 'no snapshot "../../etc/passwd"'),
        ("queries", {"max_age_s": "soon"}, "\"max_age_s\" is 'soon', which is no number"),
        ("queries", {"maxage": 3}, 'unknown payload key "maxage"; nearest: "max_age_s"'),
        ("queries", {"red_above": 3}, '"red_above" is no object'),
        ("frames", {"goroutine_id": "1 OR 1=1"}, "which is no number"),
        ("", {}, "the query names no table"),
    ],
)
def test_a_wrong_question_gets_one_sentence(
    target: str, payload: dict[str, Any], sentence: str, house: House, taken: str
) -> None:
    status, answer = house.refused("POST", "/query", {**BODY, "targets": [{"target": target, "payload": payload}]})
    assert status == 400, taken
    assert sentence in answer["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"targets": 3}', b'{"targets": [3]}', b"{}"])
def test_a_body_that_is_no_query(body: bytes, house: House) -> None:
    status, answer = house.refused("POST", "/query", body)
    assert status == 400
    assert answer["message"]


def test_no_entry_without_the_token(house: House) -> None:
    for token in ("", "wrong", ACCESS + "x"):
        status, answer = house.refused("POST", "/query", {"targets": []}, token)
        assert (status, answer["what"]) == (401, "the token is missing or wrong")


def test_unknown_paths_and_methods_are_json_too(house: House) -> None:
    assert house.refused("POST", "/nope", {})[0] == 404
    status, answer = house.refused("DELETE", "/query", {})
    assert status == 405
    assert set(answer) == {"message", "what", "where", "remedy"}


def test_a_spec_is_saved_only_when_it_is_right(house: House) -> None:
    before = house.spec.read_text()
    status, answer = house.refused("PUT", "/api/v1/spec", b"functions: []\ntables: {t: SELECT nope FROM frames}\n")
    assert status == 400
    assert answer["where"].startswith("querydb.yaml:2")
    assert 'unknown column "nope"' in answer["what"]
    assert house.spec.read_text() == before
    assert house.get("/api/v1/spec").decode() == before
