"""What the gates do to the gradient, in a few sentences computed from the trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.measures.keeping import Keeping
from explorer.measures.lanes import LaneDerivatives, LaneShares
from explorer.trace import Trace

Tone = Literal["survives", "vanishes", "explodes", "dead", "not_a_number"]
_WITHIN = 2.0  # decades: a factor of 100 counts as surviving
_SAME = 1e-6  # decades: both lanes give the same


@dataclass(frozen=True)
class GateVerdict:
    """A judgement on the direct lane of one sample.

    Attributes:
        text: two or three sentences.
        tone: what the direct lane alone does to a change of the first state: ``survives`` within a factor of
            100, ``dead`` when it is exactly 0.
    """

    text: str
    tone: Tone


def gate_verdict(
    trace: Trace, lanes: LaneDerivatives | None, shares: LaneShares, kept: Keeping | None, sample: int = 0
) -> GateVerdict:
    """Judge the direct lane against everything; arguments are the measures of the same trace."""
    if lanes is None or kept is None:
        return GateVerdict(
            "This cell has no direct path from state to state: every gradient passes a matrix.", "vanishes"
        )
    state, steps = lanes.state, trace.num_steps
    direct, full = float(lanes.direct[0]), float(lanes.full[0])
    if not np.isfinite([direct, full]).all() and (np.isnan([direct, full]).any() or np.inf in (direct, full)):
        return GateVerdict("The derivatives of this run are not finite numbers.", "not_a_number")
    if direct == -np.inf:
        return GateVerdict(_cut(lanes, kept) + _share(shares, state, sample), "dead")
    if abs(direct - full) < _SAME:
        text = f"Of a change of {state}₀, {_number(full)} is left in {state} at step {steps}, all of it "
        text += f"through the {_path(state)}: the matrices add nothing."
    else:
        text = (
            f"Through the {_path(state)} alone {_number(direct)} of a change of {state}₀ is left at step "
            f"{steps}, through everything {_number(full)}."
        )
    tone: Tone = "survives" if abs(direct) <= _WITHIN else "vanishes" if direct < 0 else "explodes"
    text += f" One step keeps {_mean(kept.mean)} on average"
    if direct > _SAME and kept.mean < 1:
        text += ", yet the units that keep more than 1 outgrow the others"
    elif np.isfinite(kept.half_life):
        text += f" (half-life {_life(kept.half_life)})"
    return GateVerdict(text + _tail(shares, state, sample), tone)


def _cut(lanes: LaneDerivatives, kept: Keeping) -> str:
    """The direct lane is exactly 0 from some step on."""
    last = int(np.flatnonzero(np.isneginf(lanes.direct))[-1])
    if len(kept.cuts) == len(lanes.direct) - 1:
        text = f"The {_path(lanes.state)} is cut at every step: exactly nothing of {lanes.state} is handed on"
    else:
        many = f"at {len(kept.cuts)} steps, last " if len(kept.cuts) > 1 else ""
        text = f"The {_path(lanes.state)} is cut {many}at step {last + 1}: "
        text += f"before it exactly nothing of {lanes.state} gets through"
    if lanes.full[last] == -np.inf:
        return f"{text}, and no other path is open, so the derivative is exactly 0."
    way = "h" if lanes.state == "c" else "the matrices"
    first = int(np.flatnonzero(lanes.full != -np.inf)[0])
    left = _number(float(lanes.full[first]))
    step = str(first).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
    return f"{text}; what is still left of {lanes.state}{step}, {left}, came through {way}."


def _share(shares: LaneShares, state: str, sample: int) -> str:
    """One sentence on the mean share of the direct lane; empty without numbers."""
    found = shares.shares[state][:, sample]
    found = found[np.isfinite(found)]
    if not found.size:
        nothing = all(np.isneginf(norms[:, sample]).all() for norms in shares.norms.values())
        return " No gradient arrives from the loss: it is exactly 0." if nothing else ""
    return f" At an average step {100 * found.mean():.0f} % of the gradient takes the {_path(state)}."


def _tail(shares: LaneShares, state: str, sample: int) -> str:
    """As ``_share``, as the end of a sentence that has begun."""
    said = _share(shares, state, sample).strip()
    joint = "but" if said.startswith("No ") else "and"
    return f", {joint} {said[0].lower()}{said[1:]}" if said else "."


def _path(state: str) -> str:
    return "cell path" if state == "c" else f"direct path of {state}"


def _mean(factor: float) -> str:
    """A factor with three digits, with more where these would call it 1."""
    if 0 < factor < 1e-3:
        return _number(float(np.log10(factor)))
    return f"{factor:.3g}" if f"{factor:.3g}" != "1" else f"{factor:.6g}"


def _life(steps: float) -> str:
    if f"{steps:.3g}" == "1":
        return "1 step"
    return f"{steps:.3g} steps" if steps < 1000 else f"{steps:,.0f} steps"


def _number(decades: float) -> str:
    """A share or factor with two or three digits, as people write it."""
    if decades == -np.inf:
        return "exactly 0"
    if -3 <= decades < 0.05:
        return f"{100 * 10**decades:.3g} %"
    if 0 <= decades < 3:
        return f"{10**decades:.3g} times as much"
    exponent = int(np.floor(decades))
    power = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    text = f"{10 ** (decades - exponent):.1f}·10{power}"
    return text if decades < 0 else f"{text} times as much"
