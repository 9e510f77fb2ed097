"""The reference engine's own tests, on eBPF: their made-up processes are laid out in a real one's memory."""

from collections.abc import Callable

import pytest

from agent.engine_ebpf import EbpfEngine
from tests.agent import test_engine_memory
from tests.agent.engine_ebpf.house import House, HousedProcess

SCENARIOS = [each for name, each in sorted(vars(test_engine_memory).items()) if name.startswith("test_")]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
def test_scenario(
    scenario: Callable[[], None], house: House, exact_engine: EbpfEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_engine_memory, "FakeProcess", lambda: HousedProcess(house, exact_engine))
    scenario()
