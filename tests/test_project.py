"""The project's own rules: who imports whom, what the package holds, what tracked files may not name."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("agent", "compiler", "datasource", "freezeframe")
# Spelt in two halves, so that this file does not name them itself.
FORBIDDEN_TEXT = tuple(
    "".join(halves)
    for halves in (
        ("/wo", "rk/"), ("py", "env"), ("proxy.go", "lang.org"), ("sum.go", "lang.org"), ("py", "pi.org"),
        ("pythonho", "sted.org"), ("registry.npm", "js.org"), ("deb.deb", "ian.org"), ("/usr/loc", "al/go"),
        ("--index", "-url"), ("--find", "-links"), ("/tmp", "/ff"),
    )
)  # fmt: skip
# npm's own lock format names where each package came from.
MAY_NAME_HOSTS = ("package-lock.json",)


def tracked_files() -> list[Path]:
    """The files that are committed or would be: all but the ignored ones."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = (ROOT / name for name in sorted(set(listing.stdout.split("\0"))) if name)
    return [path for path in paths if path.is_file()]


def sources(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a source names in an import, also inside functions; `from a import b` gives `a.b`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def strangers(paths: list[Path], allowed: tuple[str, ...]) -> list[str]:
    """What the files import beyond the standard library and the `allowed` modules (and what is inside those)."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(f"{name}.".startswith(f"{module}.") for module in allowed)
    ]


def test_pyproject_lists_every_package() -> None:
    find = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    assert set(find["include"]) == {pattern for package in PACKAGES for pattern in (package, f"{package}.*")}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_sources_is_a_package(package: str) -> None:
    assert [path for path in sources(package) if not (path.parent / "__init__.py").exists()] == []


def test_import_rules_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_compiler_package_imports_nothing() -> None:
    body = ast.parse((ROOT / "compiler/__init__.py").read_text()).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


def test_vocabulary_is_standard_library_only() -> None:
    assert strangers(sources("compiler/ir"), ("compiler.ir",)) == []


def test_agent_needs_the_vocabulary_bcc_and_its_metrics_only() -> None:
    assert strangers(sources("agent"), ("agent", "compiler.ir", "bcc", "prometheus_client")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_import_of_package_brings_no_third_party(package: str) -> None:
    code = f"import {package}, sys; print(*sorted(name.split('.')[0] for name in sys.modules))"
    before = subprocess.run(
        [sys.executable, "-c", code.replace(f"{package}, ", "")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    after = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(after.stdout.split()) - set(before.stdout.split()) - sys.stdlib_module_names == {package}


def test_tracked_files_name_no_machine_and_no_host() -> None:
    found = []
    for path in tracked_files():
        if path.name in MAY_NAME_HOSTS:
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {word}" for word in FORBIDDEN_TEXT if word in text]
    assert found == []


def test_locks_pin_every_package_with_hashes() -> None:
    for name in ("runtime", "dev", "go"):
        lines = (ROOT / f"requirements/{name}.lock").read_text().replace("\\\n", "").splitlines()
        assert lines
        assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_development_lock_agrees_with_runtime_lock() -> None:
    runtime, dev = (set((ROOT / f"requirements/{name}.lock").read_text().splitlines()) for name in ("runtime", "dev"))
    assert runtime <= dev


def test_readme_names_the_two_commands() -> None:
    for readme in (ROOT / "README.md",):
        text = readme.read_text()
        assert "make test" in text
        assert "make demo" in text


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text().splitlines()
    phony = next(line for line in makefile if line.startswith(".PHONY:")).split()[1:]
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(line.split()[1] for line in done.stdout.splitlines()) == sorted(phony)
