"""Architectures to compare: each is data, a few settings put over the experiment on screen."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from explorer.experiment import Experiment
from explorer.layouts import Single
from explorer.lessons.sentences import Sentence, read_toml
from explorer.measures.architecture_table import ArchitectureRun, SingleRun
from explorer.networks import run_network
from explorer.trace import run

MOST = 8  # curves that can be told apart
USUAL = "tanh,irnn,lstm,lstm-3,gru"


class Architecture(BaseModel):
    """One row of the comparison.

    Attributes:
        name: stable name, used in links.
        title: at most 24 characters.
        question: what it is there to answer.
        settings: path → value, applied in this order by ``Experiment.changed``; all else stays.
        own: whether it is the experiment on screen itself, with its own cell, network and held gates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: Annotated[str, Field(min_length=1, max_length=24)]
    question: Sentence
    settings: dict[str, Any] = {}
    own: bool = False

    def applied(self, base: Experiment) -> Experiment:
        """The experiment with this architecture in place of its own: no gate held, no trained weights."""
        if self.own:
            return base
        base = base.changed("network", "single").changed("hold", "").changed("trained", "")
        for path, value in self.settings.items():
            base = base.changed(path, value)
        return base


def load_architectures(name: str = "architectures.toml") -> dict[str, Architecture]:
    """All architectures by name, in the file's order.

    Raises ValueError for a repeated name and for a setting that no experiment has; the message names the row.
    """
    found: dict[str, Architecture] = {}
    for entry in read_toml(name)["architecture"]:
        row = Architecture.model_validate(entry)
        if row.name in found:
            raise ValueError(f"two architectures have the name {row.name!r}")
        try:
            row.applied(Experiment())
        except ValueError as error:
            raise ValueError(f"architecture {row.name!r} does not fit: {error}") from error
        found[row.name] = row
    return found


ARCHITECTURES: dict[str, Architecture] = load_architectures()


def run_architecture(experiment: Experiment) -> ArchitectureRun:
    """Run an experiment, one cell or a network; raises ``TooLarge`` where that would need too much memory."""
    if isinstance(experiment.network, Single):
        return SingleRun(run(experiment))
    return run_network(experiment)


def chosen(text: str) -> tuple[list[Architecture], list[str]]:
    """The architectures of a list such as ``tanh,lstm``, and a sentence for everything that was not taken.

    Never empty: where nothing can be taken the usual ones are.
    """
    asked = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    known = [name for name in asked if name in ARCHITECTURES]
    sentences = []
    for name in [name for name in asked if name not in ARCHITECTURES][:3]:
        close = get_close_matches(name, ARCHITECTURES, 1)
        hint = f"; perhaps {close[0]} was meant" if close else ""
        sentences.append(f"There is no architecture {name[:40]!r}: it is left out{hint}.")
    if len(known) > MOST:
        sentences.append(f"{len(known)} architectures are asked for: the first {MOST} are drawn.")
    if not known:
        sentences.append("No architecture is chosen: the usual ones are drawn.")
        known = USUAL.split(",")
    return [ARCHITECTURES[name] for name in known[:MOST]], sentences
