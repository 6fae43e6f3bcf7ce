"""What is said about each figure and each curve, read from ``explanations.toml``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.lessons.sentences import Sentence, read_toml


class Explanation(BaseModel):
    """Texts of one figure.

    Attributes:
        title: at most 40 characters.
        explain: one sentence on what is drawn and why it matters.
        alt: template of the text for readers who cannot see the figure; ``alt_text`` fills it in.
        curves: name of a curve → one sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=40)]
    explain: Sentence
    alt: Sentence
    curves: dict[str, Sentence] = {}

    def alt_text(self, experiment: Experiment) -> str:
        """The text for this experiment."""
        return self.alt.format(
            cell=CELLS[experiment.cell.kind][0],
            num_steps=experiment.num_steps,
            hidden_size=experiment.hidden_size,
            batch_size=experiment.batch_size,
        )


EXPLANATIONS: dict[str, Explanation] = {
    name: Explanation.model_validate(entry) for name, entry in read_toml("explanations.toml").items()
}


def explanation(figure_id: str) -> Explanation:
    """The texts of a figure; raises KeyError naming the known figures."""
    if figure_id not in EXPLANATIONS:
        raise KeyError(f"no explanation of {figure_id!r}; known are {', '.join(EXPLANATIONS)}")
    return EXPLANATIONS[figure_id]
