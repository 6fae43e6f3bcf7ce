"""Presets: experiments worth showing, with the question to ask first and what theory says will come out."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from explorer.experiment import Experiment
from explorer.lessons.sentences import Sentence, read_toml


class Expectation(BaseModel):
    """One checkable prediction.

    Attributes:
        measure: a name in ``explorer.lessons.outcomes.MEASURES``.
        min, max: bounds, both included; at least one is given.
        change: settings (dotted paths) that differ from the preset's for this check.
        growth: compare with the preset: value after the change minus value before it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str
    min: float | None = None
    max: float | None = None
    change: dict[str, Any] = {}
    growth: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError(f"the expectation of {self.measure} has neither min nor max")
        return self

    def holds(self, value: float) -> bool:
        """Whether the value lies within the bounds."""
        above = self.min is None or value >= self.min
        return above and (self.max is None or value <= self.max)

    def changed(self, experiment: Experiment) -> Experiment:
        """The experiment on which the measure is taken."""
        for path, value in self.change.items():
            experiment = experiment.changed(path, value)
        return experiment


class Preset(BaseModel):
    """One experiment of a lecture.

    Attributes:
        id: stable name, used in links and tests.
        title: at most 28 characters.
        question: to be asked before the picture is shown.
        outcome: what should come out, with theory's number.
        experiment: what to run; the data file's ``settings`` name only what is no default.
        scrub: path of the knob worth dragging, or None.
        expect: checkable predictions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: Annotated[str, Field(min_length=1, max_length=28)]
    question: Sentence
    outcome: Sentence
    experiment: Experiment = Field(alias="settings")
    scrub: str | None = None
    expect: tuple[Expectation, ...] = ()

    @field_validator("experiment", mode="before")
    @classmethod
    def _default_cell(cls, value: Any) -> Any:
        """A cell given without its kind is the default one."""
        if isinstance(value, dict) and "kind" not in value.get("cell", {"kind": "rnn"}):
            return value | {"cell": {"kind": "rnn"} | value["cell"]}
        return value

    @model_validator(mode="after")
    def _paths_exist(self) -> Self:
        if self.scrub is not None:
            knob: Any = self.experiment
            for name in self.scrub.split("."):
                if not hasattr(knob, name):
                    raise ValueError(f"scrub = {self.scrub!r} is no setting of this experiment")
                knob = getattr(knob, name)
            self.experiment.changed(self.scrub, knob)
        for expectation in self.expect:
            expectation.changed(self.experiment)
        return self


def load_presets(name: str = "presets.toml") -> dict[str, Preset]:
    """All presets by id, in the file's order; raises ValueError for a repeated id."""
    presets: dict[str, Preset] = {}
    for entry in read_toml(name)["preset"]:
        preset = Preset.model_validate(entry)
        if preset.id in presets:
            raise ValueError(f"two presets have the id {preset.id!r}")
        presets[preset.id] = preset
    return presets


PRESETS: dict[str, Preset] = load_presets()
