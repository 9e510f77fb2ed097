"""Reads the agent's TOML file into an AgentConfig. Whatever does not fit is one BadInput: the file, the key, the remedy."""

import difflib
import os
import stat
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from agent.config import AgentConfig
from compiler.ir.errors import BadInput
from compiler.ir.files import open_text, read_text

WORDS = {bool: "true or false", int: "an integer", str: "text", Path: "a path (text)", tuple: "a list of texts"}
TABLE = "a table"
MAX_BYTES = 1 << 20
"""That are read of a file."""


def read_config(path: Path) -> AgentConfig:
    """The configuration that the file holds."""
    text = read_private(path, "configuration", stat.S_IWGRP | stat.S_IWOTH)
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"this is not TOML: {error}", where=str(path), remedy="mend it; see toml.io") from None
    config: AgentConfig = _Reader(path).table(AgentConfig, plain, "")
    return config


def read_private(path: Path, what: str, forbidden: int = stat.S_IRWXO | stat.S_IWGRP) -> str:
    """The text of a file whose mode has none of the `forbidden` bits."""
    try:
        with open_text(path) as file:
            mode = os.fstat(file.fileno()).st_mode
            _refuse_mode(path, what, mode & forbidden)
            return read_text(file, MAX_BYTES).decode()
    except OSError as error:
        what = f"the {what} file cannot be read: {error.strerror}"
        raise BadInput(what, where=str(path), remedy="name a readable file") from None
    except UnicodeDecodeError:
        raise BadInput(f"the {what} file is not text", where=str(path), remedy="name a text file") from None


def _refuse_mode(path: Path, what: str, wrong: int) -> None:
    if wrong:
        reads = wrong & stat.S_IROTH
        rights = "others can read it" if reads else "others can change it"
        remedy = f"chmod {'600' if reads else 'go-w'} {path}"
        raise BadInput(f"the {what} file is not safe: {rights}", where=str(path), remedy=remedy)


class _Reader:
    """Goes through a configuration's fields and takes each from the file's tables."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def table(self, kind: Any, plain: object, key: str) -> Any:
        """A `kind` (a dataclass of the configuration) out of a table."""
        if not isinstance(plain, dict):
            raise self._wrong(key, "must be a table", f"write [{key}]")
        known = {each.name: each for each in fields(kind)}
        prefix = f"{key}." if key else ""
        for name in plain:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f'; nearest: "{near[0]}"' if near else ""
                raise self._wrong(prefix + name, f"unknown key{hint}", f"known here: {', '.join(known)}")
        hints = get_type_hints(kind)
        for name, each in known.items():
            if name not in plain and each.default is each.default_factory:  # both MISSING: it has no default
                raise self._wrong(prefix + name, "is missing", f"add it under [{key}]")
        return kind(
            **{
                name: self._value(hints[name], plain[name], prefix + name, known[name].metadata)
                for name in known
                if name in plain
            }
        )

    def _value(self, hint: Any, plain: object, key: str, bounds: Any) -> Any:
        if get_origin(hint) is UnionType:  # X | None: absent is None
            hint = get_args(hint)[0]
        if is_dataclass(hint):
            return self.table(hint, plain, key)
        if get_origin(hint) is tuple:
            return self._list(get_args(hint)[0], plain, key)
        wanted = str if hint is Path else hint
        if type(plain) is not wanted:
            raise self._wrong(key, f"must be {WORDS[hint]}", f"it is {plain!r}")
        if bounds and not bounds["lowest"] <= plain <= bounds["highest"]:
            raise self._wrong(key, f"is {plain}", f"write a number from {bounds['lowest']} to {bounds['highest']}")
        if wanted is str and not plain:
            raise self._wrong(key, "is empty", "write something, or leave the key out")
        return self._path.parent / str(plain) if hint is Path else plain

    def _list(self, item: Any, plain: object, key: str) -> tuple[Any, ...]:
        if is_dataclass(item):
            if not isinstance(plain, list):
                raise self._wrong(key, "must be a list of tables", f"write [[{key}]]")
            return tuple(self.table(item, each, f"{key}[{number}]") for number, each in enumerate(plain))
        texts = [plain] if isinstance(plain, str) else plain
        if not isinstance(texts, list) or not all(isinstance(each, str) and each for each in texts):
            raise self._wrong(key, "must be text or a list of texts", f"it is {plain!r}")
        return tuple(texts)

    def _wrong(self, key: str, what: str, remedy: str) -> BadInput:
        return BadInput(what, where=f"{self._path}: {key}", remedy=remedy)
