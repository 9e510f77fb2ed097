"""The keys of a spec and the kind of value each takes: what pydantic checks, before anything is looked at in itself."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from compiler.ir.limits import LIMIT_NAMES, Limits
from compiler.sql.names import nearest

Text = Annotated[str, Field(min_length=1)]
WHOLE_SPEC_LIMITS = ("frames", "process_bytes", "pause_ms")
"""They bound a process's capture, not a value in it."""


def bad_value(key: str, what: str, remedy: str) -> PydanticCustomError:
    """The error of one key's value, in words."""
    return PydanticCustomError("bad_value", "bad value", {"key": key, "what": what, "remedy": remedy})


class Shape(BaseModel):
    """A mapping with fixed keys; no value is converted to another kind."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @classmethod
    def keys(cls) -> list[str]:
        """The keys that it may have."""
        return [field.alias or name for name, field in cls.model_fields.items()]


def _check_limits(changes: dict[str, int], allowed: tuple[str, ...]) -> dict[str, int]:
    for key, value in changes.items():
        if key in WHOLE_SPEC_LIMITS and key not in allowed:
            what = f'"{key}" is a limit of the whole spec'
            raise bad_value(key, what, "move it to `limits` at the top level")
        if key not in allowed:
            raise bad_value(key, f'unknown key "{key}"', nearest(key, allowed))
        for problem in Limits().override({key: value}).problems():
            raise bad_value(key, problem, "write a number within the bounds")
    return changes


def _whole_spec(changes: dict[str, int]) -> dict[str, int]:
    return _check_limits(changes, LIMIT_NAMES)


def _one_value(changes: dict[str, int]) -> dict[str, int]:
    return _check_limits(changes, tuple(name for name in LIMIT_NAMES if name not in WHOLE_SPEC_LIMITS))


SpecLimits = Annotated[dict[str, int], AfterValidator(_whole_spec)]
ValueLimits = Annotated[dict[str, int], AfterValidator(_one_value)]


def _text_stands_for(key: str) -> BeforeValidator:
    """A bare text is short for the mapping `{key: text}`."""

    def widened(value: Any, info: ValidationInfo) -> Any:  # noqa: ARG001  (pydantic's signature)
        if isinstance(value, str):
            return {key: value}
        if not isinstance(value, dict):
            raise PydanticCustomError("text_or_mapping", "kind", {"key": key})
        return value

    return BeforeValidator(widened)


class ProgramShape(Shape):
    """programs.NAME"""

    exe: Text


class CollectShape(Shape):
    """functions[].collect[]"""

    expr: Text
    as_: Annotated[str | None, Field(alias="as", min_length=1)] = None
    limits: ValueLimits = Field(default_factory=dict)


class ExtraShape(Shape):
    """functions[].extra[]"""

    name: Text
    expr: Text
    unit: str | None = None


class FunctionShape(Shape):
    """functions[]"""

    function: Text
    table: Annotated[str | None, Field(min_length=1)] = None
    collect: list[Annotated[CollectShape, _text_stands_for("expr")]] = Field(default_factory=list)
    extra: list[ExtraShape] = Field(default_factory=list)
    limits: ValueLimits = Field(default_factory=dict)


class TypeShape(Shape):
    """types[]"""

    type: Text
    collect: Annotated[list[Annotated[CollectShape, _text_stands_for("expr")]], Field(min_length=1)]
    limits: ValueLimits = Field(default_factory=dict)


class TableShape(Shape):
    """tables.NAME"""

    sql: Text
    note: str = ""


class LinkShape(Shape):
    """links[]"""

    from_: Text = Field(alias="from")
    from_columns: Annotated[list[Text], Field(min_length=1)]
    to: Text
    to_columns: Annotated[list[Text], Field(min_length=1)]
    note: str = ""

    @model_validator(mode="after")
    def _as_many_columns(self) -> Self:
        ours, theirs = len(self.from_columns), len(self.to_columns)
        if ours != theirs:
            raise bad_value("", f"{ours} from_columns are linked to {theirs} to_columns", "name as many of each")
        return self


class SpecShape(Shape):
    """The whole spec."""

    programs: dict[str, ProgramShape] = Field(default_factory=dict)
    functions: list[FunctionShape]
    types: list[TypeShape] = Field(default_factory=list)
    tables: dict[str, Annotated[TableShape, _text_stands_for("sql")]] = Field(default_factory=dict)
    links: list[LinkShape] = Field(default_factory=list)
    limits: SpecLimits = Field(default_factory=dict)


SHAPES: dict[tuple[str, ...], type[Shape]] = {
    (): SpecShape,
    ("programs",): ProgramShape,
    ("functions",): FunctionShape,
    ("functions", "collect"): CollectShape,
    ("functions", "extra"): ExtraShape,
    ("types",): TypeShape,
    ("types", "collect"): CollectShape,
    ("tables",): TableShape,
    ("links",): LinkShape,
}
"""Each by the keys on the way to it."""
