"""How a person looks at an experiment: what is shown of it, not what is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError, field_validator

from explorer.app.attention_choices import AttentionChoices
from explorer.app.bleu_choices import BleuChoices
from explorer.app.clipping_choices import ClippingChoices
from explorer.app.decoding_choices import Decoding
from explorer.app.learning_choices import Learning
from explorer.app.memory_choices import MemoryChoices
from explorer.app.movie_choices import MovieChoices
from explorer.app.objective_choices import ObjectiveChoices
from explorer.app.race_choices import RaceChoices
from explorer.app.regime_choices import Regimes
from explorer.app.sampling_choices import SamplingChoices
from explorer.app.search_choices import SearchChoices
from explorer.app.taught_choices import TaughtChoices
from explorer.app.text_choices import TextChoices
from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.lessons.architectures import USUAL
from explorer.parameters import parameter
from explorer.sweep import knobs

_PREFIX = "view."


class View(
    Regimes,
    Learning,
    RaceChoices,
    MovieChoices,
    ClippingChoices,
    TextChoices,
    TaughtChoices,
    ObjectiveChoices,
    Decoding,
    SearchChoices,
    SamplingChoices,
    BleuChoices,
    MemoryChoices,
    AttentionChoices,
):
    """Choices that change the picture and none of its numbers."""

    cursor: int = parameter(
        50, "time cursor", "The step whose numbers are put into the equations.", bounds=(0, 1000)
    )
    sample: int = parameter(
        0, "sample", "The sequence whose states and spectrum are drawn.", bounds=(0, 63), step=1
    )
    samples: bool = parameter(
        False, "single samples", "Draw every sequence of the batch, not only median and band."
    )
    gate: str = parameter(
        "",
        "gate",
        "The gate drawn as a heat map, or whose distribution over the units is drawn.",
        max_length=20,
    )
    unit: int = parameter(0, "unit", "The hidden unit that is looked at alone.", bounds=(0, 511), step=1)
    knob: str = parameter(
        "weight_scale", "scrub", "The setting that the slider in the figure runs through.", max_length=40
    )
    architectures: str = parameter(
        USUAL,
        "architectures",
        "Up to eight architectures on the same input with the same seed; the first is the reference.",
        max_length=300,
    )
    matched: bool = parameter(
        False,
        "same number of parameters",
        "Choose each hidden size so that there are about as many parameters as in the first architecture.",
    )
    drawn: str = parameter(
        "", "drawn network", "The architecture that is drawn unrolled in time.", max_length=40
    )

    @field_validator("gate")
    @classmethod
    def _some_cell_has_it(cls, gate: str) -> str:
        if gate and not any(gate in (*kind.gates, *kind.states) for _, kind in CELLS.values()):
            raise ValueError("no cell has this gate or state")
        return gate

    @field_validator("knob")
    @classmethod
    def _some_cell_can_sweep_it(cls, knob: str) -> str:
        if not any(knob in knobs(Experiment.model_validate({"cell": {"kind": kind}})) for kind in CELLS):
            raise ValueError("no cell has this knob")
        return knob

    def to_pairs(self) -> dict[str, str]:
        """Query parameters of everything that is not a default."""
        changed = self.model_dump(exclude_defaults=True)
        return {_PREFIX + name: str(value) for name, value in changed.items()}

    @classmethod
    def from_query(cls, pairs: Mapping[str, str]) -> tuple[View, list[str]]:
        """The view of an address, and a sentence for everything that was rejected."""
        result, sentences = cls(), []
        for key, text in pairs.items():
            if not key.startswith(_PREFIX):
                continue
            name = key.removeprefix(_PREFIX)
            if name not in cls.model_fields:
                sentences.append(f"{key[:40]} is not a setting and is ignored.")
                continue
            try:
                data: dict[str, Any] = result.model_dump() | {name: text}
                result = cls.model_validate(data)
            except ValidationError:
                kept = getattr(result, name) or "the usual one"
                sentences.append(f"{key} = {text[:40]!r} is not allowed: {kept} is used instead.")
        return result, sentences
