"""Which servers: NATS always, all of them with --servers."""

import pytest

from tests.servers.servers import ALL, QUICK


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        wanted = ALL if metafunc.config.getoption("--servers") else QUICK
        metafunc.parametrize("server", wanted, ids=[each.name for each in wanted], scope="module")


def pytest_ignore_collect(collection_path: object, config: pytest.Config) -> bool | None:
    """Tests that run one of the large servers are not collected without --servers."""
    large = str(collection_path).endswith(("test_etcd.py", "test_coredns.py"))
    return True if large and not config.getoption("--servers") else None
