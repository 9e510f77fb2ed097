"""Makes the dashboards that ship with Freezeframe. Run it after a change here; the JSON beside it is what Grafana reads.

python dashboards/generate.py [--check]
"""

import json
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard, table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.dashboard import DataSourceRef

HERE = Path(__file__).resolve().parent
PLUGIN = "simpod-json-datasource"
SOURCE = DataSourceRef(type_val=PLUGIN, uid="${ds}")
STATE = """
SELECT g.status, g.wait_reason, round((p.captured_at_ns - g.wait_since_ns) / 1e9, 1) AS waited_at_least_s, g.waits_on,
 (SELECT count(DISTINCT o.goroutine_id) FROM waits AS w JOIN waits AS o USING (process_id, address)
  WHERE w.process_id = g.process_id AND w.goroutine_id = g.goroutine_id AND o.goroutine_id <> w.goroutine_id) AS others_there,
 g.labels, g.start_function, g.created_by, g.created_by_file || ':' || g.created_by_line AS created_at,
 g.parent_goroutine_id, g.m, g.tid, g.cpu, g.locked_tid, g.system
FROM goroutines AS g JOIN processes AS p USING (process_id) WHERE g.process_id = $process AND g.goroutine_id = $goroutine
"""
STATE_TEXT = """A garbage collection notes who waits: without a time, it began to wait after the last one.
`others_there`: how many goroutines wait at the same channels and locks (table `waits`)."""
GOROUTINE_LINK = (
    "/d/freezeframe-goroutine?var-snapshot=${__data.fields.snapshot_id}&var-process=${__data.fields.process_id}"
    "&var-goroutine=${__data.fields.goroutine_id}&${__url_time_range}"
)


class Query(Dataquery, Builder["Query"]):
    """A query of the simPod JSON data source: a target, and a payload that is JSON text with variables in it."""

    def __init__(self, ref_id: str, target: str, payload: str) -> None:
        self._ref_id = ref_id
        self._target = target
        self._payload = payload

    def to_json(self) -> dict[str, object]:
        """As the dashboard's JSON has it."""
        return {
            "refId": self._ref_id,
            "target": self._target,
            "payload": self._payload,
            "editorMode": "code",
            "datasource": {"type": PLUGIN, "uid": "${ds}"},
        }

    def build(self) -> "Query":
        return self


def _payload(sql: str | None = None, **more: str) -> str:
    """Payload text; `more` is JSON source as it stands, with Grafana's variables."""
    parts = [f'"sql": {json.dumps(sql)}'] if sql else []
    parts += [f'"{key}": {value}' for key, value in more.items()]
    return "{" + ", ".join(parts) + "}"


def _base(title: str, uid: str) -> dashboard.Dashboard:
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .tags(["freezeframe"])
        .readonly()
        .time("now-1h", "now")
        .link(dashboard.DashboardLink("Freezeframe").type(models.DashboardLinkType.DASHBOARDS).tags(["freezeframe"]))
        .with_variable(dashboard.DatasourceVariable("ds").label("Data source").type(PLUGIN))
    )


def _snapshot_variable() -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("snapshot")
        .label("Snapshot")
        .datasource(SOURCE)
        .query({"query": "snapshots", "format": "string"})
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(models.VariableSort.DISABLED)
        .current(models.VariableOption(text="latest", value="latest"))
    )


def _text_variable(name: str, label: str, value: str) -> dashboard.TextBoxVariable:
    return dashboard.TextBoxVariable(name).label(label).default_value(value)


def _hidden(panel: table.Panel, name: str) -> table.Panel:
    return panel.override_by_name(name, [models.DynamicConfigValue(id_val="custom.hidden", value=True)])


def _goroutine_link(title: str) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val="links", value=[{"title": title, "url": GOROUTINE_LINK}])


def oldest_queries() -> dashboard.Dashboard:
    """The queries that run now, oldest first; those above a threshold in red; a click leads to the goroutine's stack."""
    columns = "process_id, goroutine_id, user, sql, age_s"
    payload = _payload(
        f"SELECT {columns} FROM queries ORDER BY age_s DESC",
        snapshot='"$snapshot"',
        max_age_s='"$max_age_s"',
        red_above='{"age_s": "$red_above_s"}',
    )
    queries = (
        table.Panel()
        .title("Oldest queries")
        .description("Every query that runs in the snapshot. Click a goroutine to see its stack.")
        .datasource(SOURCE)
        .with_target(Query("A", "sql", payload))
        .grid_pos(models.GridPos(x=0, y=0, w=24, h=16))
        .override_by_name("goroutine_id", [_goroutine_link("Stack of goroutine ${__value.raw}"), _width(120)])
        .override_by_name("age_s", [_width(120), models.DynamicConfigValue(id_val="decimals", value=1)])
        .override_by_name("user", [_width(160)])
    )
    for name in ("process_id", "snapshot_id"):
        queries = _hidden(queries, name)
    processes = (
        table.Panel()
        .title("Processes")
        .description("What was captured, and for how long each process stood still.")
        .datasource(SOURCE)
        .with_target(Query("A", "processes", _payload(snapshot='"$snapshot"', max_age_s='"$max_age_s"')))
        .grid_pos(models.GridPos(x=0, y=16, w=24, h=6))
    )
    for name in ("process_id", "snapshot_id", "exe", "build_id", "captured_at_ns"):
        processes = _hidden(processes, name)
    return (
        _base("Oldest queries", "freezeframe-oldest-queries")
        .with_variable(_snapshot_variable())
        .with_variable(_text_variable("max_age_s", "Capture if older than (s)", "30"))
        .with_variable(_text_variable("red_above_s", "Red above (s)", "30"))
        .refresh("30s")
        .with_panel(queries)
        .with_panel(processes)
    )


def goroutine() -> dashboard.Dashboard:
    """One goroutine of one snapshot: its state, and its stack, innermost frame first."""
    where = {"snapshot": '"$snapshot"', "process_id": '"$process"', "goroutine_id": '"$goroutine"'}
    state = (
        table.Panel()
        .title("Goroutine $goroutine")
        .description(STATE_TEXT)
        .datasource(SOURCE)
        .with_target(Query("A", "sql", _payload(" ".join(STATE.split()), snapshot=where["snapshot"])))
        .grid_pos(models.GridPos(x=0, y=0, w=24, h=4))
    )
    stack = (
        table.Panel()
        .title("Stack, innermost frame first")
        .datasource(SOURCE)
        .with_target(Query("A", "frames", _payload(None, **where)))
        .grid_pos(models.GridPos(x=0, y=4, w=24, h=18))
        .override_by_name("depth", [_width(80)])
        .override_by_name("line", [_width(80)])
        .override_by_name("inlined", [_width(80)])
    )
    for name in ("process_id", "goroutine_id", "snapshot_id"):
        state, stack = _hidden(state, name), _hidden(stack, name)
    return (
        _base("Goroutine", "freezeframe-goroutine")
        .with_variable(_snapshot_variable())
        .with_variable(_text_variable("process", "Process", "1"))
        .with_variable(_text_variable("goroutine", "Goroutine", "1"))
        .with_panel(state)
        .with_panel(stack)
    )


def _width(pixels: int) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val="custom.width", value=pixels)


def texts() -> dict[Path, str]:
    """Every dashboard's file and text."""
    made: dict[str, Any] = {"oldest-queries": oldest_queries(), "goroutine": goroutine()}
    return {
        HERE / f"{name}.json": JSONEncoder(sort_keys=True, indent=2).encode(builder.build()) + "\n"
        for name, builder in made.items()
    }


def main() -> int:
    """Write the files, or with --check say which differ from what would be written."""
    stale = [path for path, text in texts().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.name} is not what generate.py makes: run it", file=sys.stderr)
        return 1 if stale else 0
    for path, text in texts().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
