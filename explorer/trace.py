"""Trace: what one run recorded, and ``run``, which makes one from an experiment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from explorer.cells.cell import Partials
from explorer.engine.backward import Backward, backward, partial_blocks
from explorer.engine.forward import Forward, System, forward
from explorer.experiment import Experiment
from explorer.weights import Weights, check_weights, draw_weights, finite_array, slot_matrices

MEMORY_LIMIT = 1e9  # bytes
_STEEPEST = 350  # |pre-activation| at which the slope of tanh comes near the smallest float64


class TooLarge(ValueError):
    """The run would need more memory than ``MEMORY_LIMIT``; the message says which setting to lower."""


@dataclass
class Trace:
    """One run: states, gates and gradients of every step, sample and unit.

    Attributes:
        experiment: the settings.
        weights: torch.nn names → float64 arrays.
        inputs: x, [T, B, I].
        system: matrices and drive as the time loops use them.
        forward, backward: raw records, feature-major [time, …, H, B], with their exponents.
        readout: v, [H]; loss_weights: w_t, [T+1]: L = Σ_t w_t Σ_b v·h_t[b].
        notes: one sentence for everything that was cut, repeated or found out of range.
    """

    experiment: Experiment
    weights: Weights
    inputs: np.ndarray
    system: System
    forward: Forward
    backward: Backward
    readout: np.ndarray
    loss_weights: np.ndarray
    notes: list[str] = field(default_factory=list)

    @cached_property
    def states(self) -> dict[str, np.ndarray]:
        """Name → [T+1, B, H]; entry 0 is the initial state. Values beyond the float range are ±inf."""
        exponents = self.forward.exponents
        result = {}
        for name, array in self.forward.states.items():
            with np.errstate(over="ignore", under="ignore"):
                values = array if exponents is None else np.ldexp(array, exponents[:, None])
            result[name] = np.moveaxis(values, 1, 2)
        return result

    @cached_property
    def gates(self) -> dict[str, np.ndarray]:
        """Gate name → [T, B, H]; entry t-1 belongs to step t."""
        names = self.experiment.cell.gates
        return {name: np.moveaxis(self.forward.gates[:, k], 1, 2) for k, name in enumerate(names)}

    @cached_property
    def slots(self) -> dict[str, np.ndarray]:
        """Pre-activations by slot name, [T, B, H]; where states carry an exponent so do these."""
        wiring = self.experiment.cell.wiring()
        return {slot.name: np.moveaxis(self.forward.slots[:, k], 1, 2) for k, slot in enumerate(wiring)}

    @property
    def num_steps(self) -> int:
        """T."""
        return len(self.forward.slots)

    def partial_blocks(self) -> Iterator[tuple[int, Partials]]:
        """(first step, element-wise derivatives) of blocks of steps, last block first."""
        return partial_blocks(self.system, self.forward)

    def save(self, path: str | Path) -> None:
        """Write settings, weights, inputs and initial state as .npz: enough to get every number again."""
        arrays = {f"weights.{name}": array for name, array in self.weights.items()}
        arrays |= {f"initial.{name}": array for name, array in self.system.initial.items()}
        np.savez_compressed(
            path,
            experiment=self.experiment.canonical(),
            inputs=self.inputs,
            readout=self.readout,
            notes=json.dumps(self.notes),
            **arrays,  # type: ignore[arg-type]
        )

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """The trace that ``save`` wrote, run again from the stored arrays."""
        with np.load(path) as stored:
            groups: dict[str, dict[str, np.ndarray]] = {"weights": {}, "initial": {}}
            for name in stored.files:
                group, _, key = name.partition(".")
                if group in groups:
                    groups[group][key] = stored[name]
            experiment = Experiment.model_validate(json.loads(str(stored["experiment"])))
            trace = run(
                experiment,
                weights=groups["weights"],
                inputs=stored["inputs"],
                initial_state={name: array.T for name, array in groups["initial"].items()},
                readout=stored["readout"],
            )
            trace.notes = json.loads(str(stored["notes"]))
            return trace


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


def run(
    experiment: Experiment,
    *,
    weights: Mapping[str, object] | None = None,
    inputs: object | None = None,
    initial_state: Mapping[str, object] | None = None,
    readout: object | None = None,
) -> Trace:
    """Forward and backward pass of an experiment.

    Args:
        experiment: all settings; the rest replaces what it would draw.
        weights: torch.nn names and gate order (``weight_ih`` … or ``weight_ih_l0`` …), e.g. a ``state_dict``.
        inputs: x, [T, B, I], instead of the signal; any I.
        initial_state: state name → [B, H]; missing states are 0.
        readout: v, [H], with L = Σ_t w_t Σ_b v·h_t[b].

    Raises:
        ValueError: an array of the wrong shape, with NaN or infinity, or an unknown name; says which.
        TooLarge: more than 1 GB would be needed.
    """
    steps, batch, size = experiment.num_steps, experiment.batch_size, experiment.hidden_size
    notes: list[str] = []
    width = experiment.signal.input_size if inputs is None else _width(inputs)
    refuse_too_large(experiment, width)
    if inputs is None:
        x, notes = experiment.signal.draw(experiment.rng("signal"), steps, batch)
    else:
        x = finite_array("inputs", inputs, (steps, batch, width), "num_steps, batch_size and input size")
    drawn = draw_weights(experiment, width) if weights is None else check_weights(weights, experiment, width)
    if readout is None:
        v = draw_readout(experiment)
    else:
        v = finite_array("readout", readout, (size,), f"hidden_size={size}")
    loss_weights, loss_notes = experiment.loss.weights(steps)
    system = make_system(experiment, drawn, x, _initial(experiment, initial_state))
    record = forward(system)
    dtype = np.dtype(experiment.dtype)
    adjoints = backward(system, record, loss_weights, np.repeat(v[:, None], batch, axis=1).astype(dtype))
    return Trace(
        experiment,
        drawn,
        x,
        system,
        record,
        adjoints,
        v,
        loss_weights,
        notes + loss_notes + _out_of_range(record, adjoints),
    )


def _width(inputs: object) -> int:
    """I of own inputs; 0 where they are no array of three axes, which ``finite_array`` then names."""
    try:
        shape = np.shape(inputs)  # type: ignore[call-overload]
    except ValueError:
        return 0
    return shape[2] if len(shape) == 3 else 0


def draw_readout(experiment: Experiment) -> np.ndarray:
    """v [H], a random direction of length 1."""
    v = experiment.rng("readout").standard_normal(experiment.hidden_size)
    return v / np.linalg.norm(v)


def _initial(experiment: Experiment, given: Mapping[str, object] | None) -> dict[str, np.ndarray]:
    """State name → [H, B]."""
    shape = (experiment.batch_size, experiment.hidden_size)
    states = experiment.cell.states
    for name in given or {}:
        if name not in states:
            raise ValueError(f"initial_state[{name!r}] is unknown; this cell has {', '.join(states)}")
    if given is None and experiment.initial_scale == 0:
        return {name: np.zeros(shape).T for name in states}
    if given is None:
        draws = {name: experiment.rng(f"initial/{name}").standard_normal(shape) for name in states}
        return {name: experiment.initial_scale * draw.T for name, draw in draws.items()}
    reason = f"batch_size={shape[0]} and hidden_size={shape[1]}"
    return {
        name: finite_array(f"initial_state[{name!r}]", given[name], shape, reason).T
        if name in given
        else np.zeros(shape).T
        for name in states
    }


def make_system(
    experiment: Experiment, weights: Weights, x: np.ndarray, initial: Mapping[str, np.ndarray]
) -> System:
    """The matrices and the drive [T, I + 1, B] of an experiment in its float type."""
    dtype = np.dtype(experiment.dtype)
    matrix, message_matrix = slot_matrices(experiment.cell, weights)
    drive = np.ones((x.shape[0], x.shape[2] + 1, x.shape[1]), dtype)
    drive[:, :-1] = np.moveaxis(x, 1, 2)
    return System(
        experiment.cell,
        matrix.astype(dtype),
        None if message_matrix is None else message_matrix.astype(dtype),
        drive,
        {name: np.ascontiguousarray(array, dtype) for name, array in initial.items()},
    )


def _out_of_range(record: Forward, adjoints: Backward) -> list[str]:
    """Sentences on states that left the float range and on numbers that are not numbers."""
    notes = []
    if record.exponents is not None:
        powers = np.frexp(np.abs(record.states["h"]).max(axis=1))[1] + record.exponents
        limit = np.finfo(record.slots.dtype).maxexp
        steps = np.flatnonzero((powers > limit).any(axis=1))
        if len(steps):
            notes.append(
                f"States exceed the largest {record.slots.dtype.name} from step {steps[0]} on; they are "
                "carried as mantissa and exponent, so gradients stay exact."
            )
    elif record.largest is not None and record.largest.max() > _STEEPEST:
        notes.append(
            f"Some pre-activations exceed {_STEEPEST}: where units differ by more than 308 decades in slope, "
            "the smaller slopes count as 0."
        )
    for name, array in record.states.items():
        bad = _first_bad(array)
        if bad is not None:
            notes.append(f"State {name} is not a finite number from step {bad} on.")
    for name, array in adjoints.totals.items():
        bad = _first_bad(array[::-1])
        if bad is not None:
            notes.append(
                f"The gradient of {name} is not a finite number at step {len(array) - 1 - bad} and before."
            )
    return notes


def _first_bad(array: np.ndarray) -> int | None:
    """First index of axis 0 with NaN or infinity; one pass where all is well."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):
            return None
    bad = np.flatnonzero(~np.isfinite(array).all(axis=(1, 2)))
    return int(bad[0]) if len(bad) else None
