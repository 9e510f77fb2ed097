"""The agent's systemd unit, as its keys and values."""

from collections import defaultdict
from collections.abc import Mapping

from tests.conftest import ROOT

UNIT = ROOT / "agent/freezeframe-agent.service"


def read_unit() -> Mapping[str, list[str]]:
    """Every key with its values, in order: a key may stand there more than once."""
    found = defaultdict(list)
    for line in UNIT.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key].append(value)
    return found
