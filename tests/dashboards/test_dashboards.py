"""Every dashboard is what its generator makes, is a dashboard by Grafana's own schema, and every query in it has an answer."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.conftest import ROOT
from tests.house import House

FOLDER = ROOT / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))


def load(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text())
    assert isinstance(found, dict)
    return found


def queries(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield from panel["targets"]


def test_the_files_are_what_the_generator_makes() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dashboard_is_one_by_grafanas_schema(path: Path) -> None:
    dashboard = load(path)
    read = Dashboard.from_json(dashboard)
    assert read.uid == dashboard["uid"]
    assert read.panels is not None
    assert len(read.panels) == len(dashboard["panels"]) > 0
    assert {query["datasource"]["uid"] for query in queries(dashboard)} == {"${ds}"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_query_has_an_answer(path: Path, house: House) -> None:
    snapshot_id = house.post("/api/v1/snapshots", {})["snapshot_id"]
    process, goroutine = house.post(
        "/query",
        {"targets": [{"target": "sql", "payload": {"sql": "SELECT process_id, goroutine_id FROM queries LIMIT 1"}}]},
    )[0]["rows"][0][:2]
    dashboard = load(path)
    values = {each["name"]: _default(each) for each in dashboard["templating"]["list"]}
    values |= {"snapshot": snapshot_id, "process": str(process), "goroutine": str(goroutine)}
    for query in queries(dashboard):
        payload = json.loads(interpolated(query["payload"], values))
        [table] = house.post("/query", {"targets": [{**query, "payload": payload}]})
        assert table["rows"], query


def _default(variable: dict[str, Any]) -> str:
    value = variable.get("current", {}).get("value") or variable.get("query")
    return value if isinstance(value, str) else ""


def interpolated(payload: str, values: dict[str, str]) -> str:
    """As the plugin does it: each variable as JSON, a text without its quotes."""
    assert (used := set(re.findall(r"\$(\w+)", payload))) <= values.keys(), used
    return re.sub(r"\$(\w+)", lambda match: json.dumps(values[match[1]])[1:-1], payload)


def test_a_click_on_a_query_leads_to_its_goroutine() -> None:
    dashboard = load(FOLDER / "oldest-queries.json")
    [panel] = [panel for panel in dashboard["panels"] if panel["title"] == "Oldest queries"]
    overrides = {each["matcher"]["options"]: each["properties"] for each in panel["fieldConfig"]["overrides"]}
    [link] = [p["value"][0] for p in overrides["goroutine_id"] if p["id"] == "links"]
    goroutine = load(FOLDER / "goroutine.json")
    assert link["url"].startswith(f"/d/{goroutine['uid']}?")
    names = {each["name"] for each in goroutine["templating"]["list"]}
    assert set(re.findall(r"var-(\w+)=", link["url"])) <= names
    fields = set(re.findall(r"__data\.fields\.(\w+)", link["url"]))
    [payload] = [
        json.loads(interpolated(t["payload"], dict.fromkeys(("snapshot", "max_age_s", "red_above_s"), "1")))
        for t in panel["targets"]
    ]
    assert fields - {"snapshot_id"} <= set(re.findall(r"\w+", payload["sql"].split("FROM")[0]))


def test_old_ones_are_red_above_a_variable() -> None:
    dashboard = load(FOLDER / "oldest-queries.json")
    assert any('"red_above": {"age_s": "$red_above_s"}' in query["payload"] for query in queries(dashboard))
    assert "red_above_s" in {each["name"] for each in dashboard["templating"]["list"]}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("provisioning/*/*.yaml")), ids=lambda path: path.parent.name)
def test_provisioning_files_have_grafanas_form(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    assert document["apiVersion"] == 1
    if path.parent.name == "datasources":
        [source] = document["datasources"]
        assert source["type"] == "simpod-json-datasource"
        assert source["access"] == "proxy"
    else:
        [provider] = document["providers"]
        assert provider["type"] == "file"
        assert provider["options"]["path"]
