"""Answers to Grafana's panels: a query's target and payload to a table in the form of the simPod JSON data source."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.ir.errors import BadInput
from compiler.ir.frames import SqlValue
from compiler.spec import Spec
from compiler.sql.names import nearest, quote
from datasource.service import Service
from datasource.snapshots import SnapshotFile
from datasource.store.read import Rows, query

SAFE_INTEGER = 1 << 53
"""Beyond it a JavaScript number is not exact: such a column goes as text."""
MAX_NOTICES = 5
PANEL_ROWS = 50_000
"""Rows that one panel gets; what is left out is said in a notice."""
PAYLOAD_KEYS = ("snapshot", "max_age_s", "sql", "goroutine_id", "process_id", "red_above", "limit")


@dataclass(frozen=True, slots=True)
class Question:
    """One target of a panel, checked."""

    target: str
    snapshot: str
    max_age_s: float | None
    sql: str | None
    goroutine_id: int | None
    process_id: int | None
    red_above: tuple[tuple[str, float], ...]
    limit: int

    @staticmethod
    def of(target: Mapping[str, Any]) -> "Question":
        """The question in one element of `targets`; BadInput names the key that is wrong."""
        payload = target.get("payload") or {}
        if not isinstance(payload, Mapping):
            raise BadInput("the payload is no object", where=f"query {target.get('refId', '?')}", remedy="write {...}")
        unknown = sorted(set(payload) - set(PAYLOAD_KEYS))
        if unknown:
            raise BadInput(f'unknown payload key "{unknown[0]}"', remedy=nearest(unknown[0], PAYLOAD_KEYS))
        name = target.get("target")
        if not isinstance(name, str) or not name:
            raise BadInput("the query names no table", remedy='choose a metric, or "sql"')
        red = payload.get("red_above") or {}
        if not isinstance(red, Mapping):
            raise BadInput('"red_above" is no object', remedy='write {"age_s": 30}')
        return Question(
            target=name,
            snapshot=str(payload.get("snapshot") or "latest"),
            max_age_s=_number(payload, "max_age_s"),
            sql=str(payload["sql"]) if payload.get("sql") else None,
            goroutine_id=_integer(payload, "goroutine_id"),
            process_id=_integer(payload, "process_id"),
            red_above=tuple((str(column), _required(red, column)) for column in red),
            limit=min(_integer(payload, "limit") or PANEL_ROWS, PANEL_ROWS),
        )


def _number(payload: Mapping[str, Any], key: str) -> float | None:
    """A number, or a text that is one (variables arrive as text); None where it is missing or empty."""
    value = payload.get(key)
    if value is None or value == "":
        return None
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise BadInput(f'"{key}" is {value!r}, which is no number', remedy=f'write "{key}": 30')
    return number


def _required(payload: Mapping[str, Any], key: str) -> float:
    number = _number(payload, key)
    if number is None:
        raise BadInput(f'"{key}" has no value', remedy=f'write "{key}": 30')
    return number


def _integer(payload: Mapping[str, Any], key: str) -> int | None:
    number = _number(payload, key)
    if number is None:
        return None
    if number != int(number):
        raise BadInput(f'"{key}" is {number}, which is no whole number', remedy=f'write "{key}": 17')
    return int(number)


def answer(service: Service, target: Mapping[str, Any]) -> dict[str, Any]:
    """The table for one target of a panel."""
    question = Question.of(target)
    ref_id = str(target.get("refId") or "A")
    if question.target == "snapshots":
        return _snapshots(service, ref_id)
    snapshot = service.snapshot(question.snapshot, question.max_age_s)
    spec = service.spec.get()
    sql = _sql(question, snapshot)
    rows = query(snapshot.path, sql, max_rows=question.limit)
    return _table(ref_id, question, sql, snapshot, rows, spec)


def _sql(question: Question, snapshot: SnapshotFile) -> str:
    """The SELECT that the target stands for."""
    if question.target == "sql":
        if question.sql is None:
            raise BadInput("the payload has no SQL", remedy='write "sql": "SELECT ...", or choose a table')
        return question.sql
    tables = table_names(snapshot)
    if question.target not in tables:
        remedy = nearest(question.target, [*tables, "sql", "snapshots"])
        raise BadInput(f'no table "{question.target}" in snapshot {snapshot.snapshot_id}', remedy=remedy)
    wanted = {"process_id": question.process_id, "goroutine_id": question.goroutine_id}
    where = [f"{column} = {value}" for column, value in wanted.items() if value is not None]
    order = " ORDER BY process_id, goroutine_id, depth" if question.target == "frames" else ""
    return f"SELECT * FROM {quote(question.target)}{' WHERE ' if where else ''}{' AND '.join(where)}{order}"


def table_names(snapshot: SnapshotFile) -> list[str]:
    """The tables of a snapshot, by name."""
    found = query(snapshot.path, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return [str(name) for (name,) in found.rows if not str(name).startswith("sqlite_")]


def _table(ref_id: str, question: Question, sql: str, snapshot: SnapshotFile, rows: Rows, spec: Spec) -> dict[str, Any]:
    units = {extra.name: extra.unit for function in spec.functions for extra in function.extra if extra.unit}
    red = dict(question.red_above)
    columns = [_column(rows, index, units, red) for index in range(len(rows.columns))]
    shown = [[_cell(value, column["type"]) for value, column in zip(row, columns, strict=True)] for row in rows.rows]
    # The id rides along, so that a link from a row leads into the very snapshot that the row is from.
    columns.append({"text": "snapshot_id", "type": "string", "custom": {"hidden": True}})
    for row in shown:
        row.append(snapshot.snapshot_id)
    notices = _notices(snapshot, rows)
    meta = {
        "custom": {"snapshot_id": snapshot.snapshot_id, "taken_at_ns": str(snapshot.taken_at_ns)},
        "executedQueryString": sql,
        "notices": notices,
    }
    return {"type": "table", "refId": ref_id, "name": question.target, "meta": meta, "columns": columns, "rows": shown}


def _column(rows: Rows, index: int, units: Mapping[str, str], red: Mapping[str, float]) -> dict[str, Any]:
    name = rows.columns[index]
    column: dict[str, Any] = {"text": name, "type": _type([row[index] for row in rows.rows])}
    if name in units:
        column["unit"] = units[name]
    if name in red:
        column["color"] = {"mode": "thresholds"}
        steps = [{"color": "green", "value": None}, {"color": "red", "value": red[name]}]
        column["thresholds"] = {"mode": "absolute", "steps": steps}
        column["custom"] = {"cellOptions": {"type": "color-background", "mode": "basic"}}
    return column


def _type(values: list[SqlValue]) -> str:
    """ "number" where every value is one that JavaScript holds exactly."""
    present = [value for value in values if value is not None]
    numbers = all(
        isinstance(value, float) or (isinstance(value, int) and abs(value) <= SAFE_INTEGER) for value in present
    )
    return "number" if present and numbers else "string"


def _cell(value: SqlValue | bytes, kind: str) -> SqlValue:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None if kind == "number" else str(value)
    return str(value) if kind == "string" and value is not None else value


def _notices(snapshot: SnapshotFile, rows: Rows) -> list[dict[str, str]]:
    """What the snapshot lacks, as the small triangle of a panel tells it."""
    texts = [f"only the first {len(rows.rows)} rows are shown"] if rows.cut else []
    issues = query(snapshot.path, "SELECT DISTINCT message, nearest FROM issues ORDER BY 1")
    texts += [f"{message}{f' (nearest: {close})' if close else ''}" for message, close in issues.rows]
    losses = query(snapshot.path, "SELECT sum(count), detail FROM losses GROUP BY detail ORDER BY 2")
    texts += [f"{count} {detail}" for count, detail in losses.rows]
    if len(texts) > MAX_NOTICES:
        more = len(texts) - MAX_NOTICES + 1
        texts = [*texts[: MAX_NOTICES - 1], f"and {more} more: see the tables issues and losses"]
    return [{"severity": "warning", "text": text} for text in texts]


def _snapshots(service: Service, ref_id: str) -> dict[str, Any]:
    """The list of snapshots, newest first."""
    columns = [{"text": "snapshot_id", "type": "string"}, {"text": "taken_at", "type": "time"}]
    rows = [[each.snapshot_id, each.taken_at_ns // 1_000_000] for each in service.snapshots.all()]
    return {"type": "table", "refId": ref_id, "name": "snapshots", "columns": columns, "rows": rows}
