"""How much memory a run takes, and the sentence that refuses one which is too large."""

from __future__ import annotations

import numpy as np

from explorer.experiment import Experiment

MEMORY_LIMIT = 1e9  # bytes


class TooLarge(ValueError):
    """The run would need more memory than ``MEMORY_LIMIT``; the message says which setting to lower."""


def memory_needed(experiment: Experiment, columns: int | None = None, input_size: int | None = None) -> int:
    """Bytes that the arrays of one trace take; ``columns`` replaces the batch size in sweeps.

    T·C·(H·(slots + gates + 3·states + 1) + 2·I) numbers for the trace and its buffers, plus the weights.
    """
    cell, size = experiment.cell, experiment.hidden_size
    width = experiment.signal.input_size if input_size is None else input_size
    rows = len(cell.wiring()) + len(cell.gates) + 3 * len(cell.states) + 1
    numbers = experiment.num_steps * (columns or experiment.batch_size) * (size * rows + 2 * width)
    numbers += 3 * cell.blocks * size * (size + width)
    return numbers * np.dtype(experiment.dtype).itemsize


def refuse_too_large(experiment: Experiment, input_size: int) -> None:
    """Raise ``TooLarge`` when a trace would not fit, with the control to lower and how far."""
    needed = memory_needed(experiment, input_size=input_size)
    if needed <= MEMORY_LIMIT:
        return
    titles = {
        name: Experiment.model_fields[name].title for name in ("batch_size", "num_steps", "hidden_size")
    }
    titles["input_size"] = "the number of different characters or channels"
    sizes = {name: getattr(experiment, name, input_size) for name in titles}
    usual = {"batch_size": 16, "num_steps": 100, "hidden_size": 64, "input_size": 64}
    advice = "lower several of its sizes."
    for name in sorted(sizes, key=lambda name: sizes[name] / usual[name]):  # the best one comes last
        for value in range(sizes[name] - 1, 1, -1):
            changed = experiment.model_copy(update={name: value} if name != "input_size" else {})
            width = value if name == "input_size" else input_size
            if memory_needed(changed, input_size=width) <= MEMORY_LIMIT:
                advice = f"lower {titles[name]} to {value} or less."
                break
    limit = f"{MEMORY_LIMIT / 1e9:.0f} GB"
    raise TooLarge(f"This run would need {needed / 1e9:.1f} GB of memory and the limit is {limit}: {advice}")
