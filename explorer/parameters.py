"""What every choice a person can make has in common: a type, bounds, a label and one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Parameters(BaseModel):
    """A frozen group of named settings.

    Unknown names, NaN and infinite numbers are refused; every field carries the label, the one-sentence
    explanation and the bounds from which controls, link and documentation are made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _plain_zero(cls, value: Any) -> Any:
        """-0.0 equals 0.0, so it must also be written alike: in links, caches and on screen."""
        return 0.0 if isinstance(value, float) and value == 0 else value


def parameter(
    default: Any,
    label: str,
    help: str,
    *,
    bounds: tuple[float, float] | None = None,
    step: float | None = None,
    options: Sequence[Any] | None = None,
    names: Mapping[Any, str] | None = None,
    max_length: int | None = None,
) -> Any:
    """A pydantic field with what a control needs.

    Args:
        default: the value nobody has to type.
        label: short name on screen.
        help: one sentence that says what the setting does.
        bounds: smallest and largest allowed number, both included.
        step: distance between two neighbouring slider positions.
        options: positions that a slider offers when evenly spaced ones make no sense (sizes).
        names: for each value of a choice its name on screen.
        max_length: longest text allowed, in characters.
    """
    lowest, highest = bounds if bounds else (None, None)
    extra: dict[str, Any] = {
        "step": step,
        "options": list(options) if options else None,
        "names": dict(names or {}),
    }
    return Field(
        default=default,
        title=label,
        description=help,
        ge=lowest,
        le=highest,
        max_length=max_length,
        json_schema_extra=extra,
    )
