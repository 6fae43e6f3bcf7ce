"""Demonstrations: gates to hold, with the question to ask first and what must come out."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from explorer.experiment import Experiment
from explorer.holds import format_holds, parse_holds
from explorer.lessons.sentences import Sentence, read_toml


class Demonstration(BaseModel):
    """One intervention of a lecture.

    Attributes:
        id: stable name.
        label: what its button says.
        cells: kinds of cells that it is true for.
        hold: template of ``Experiment.hold``; ``{middle}``, ``{gate}``, ``{keep}`` and ``{drop}`` are
            filled in.
        question: to be asked before the picture is shown.
        outcome: what must come out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    label: Annotated[str, Field(min_length=1, max_length=16)]
    cells: tuple[str, ...]
    hold: str
    question: Sentence
    outcome: Sentence

    def hold_in(self, experiment: Experiment) -> str:
        """The text of ``Experiment.hold`` for the length and the cell of this experiment."""
        cell, middle = experiment.cell, max(1, experiment.num_steps // 2)
        gate = "forget" if "forget" in cell.gates else "update"
        keeps = getattr(cell, "update", "renews") == "keeps"
        text = self.hold.format(middle=middle, gate=gate, keep=int(keeps), drop=int(not keeps))
        return format_holds(parse_holds(text))


DEMONSTRATIONS: tuple[Demonstration, ...] = tuple(
    Demonstration.model_validate(entry) for entry in read_toml("demonstrations.toml")["demonstration"]
)


def demonstrations_for(experiment: Experiment) -> list[Demonstration]:
    """Those that are true for the experiment's cell."""
    return [found for found in DEMONSTRATIONS if experiment.cell.kind in found.cells]


def demonstration_of(experiment: Experiment) -> Demonstration | None:
    """The demonstration whose holds the experiment has, if any."""
    return next((d for d in demonstrations_for(experiment) if d.hold_in(experiment) == experiment.hold), None)
