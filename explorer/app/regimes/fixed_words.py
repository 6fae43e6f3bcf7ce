"""What the section Fixed points says: where an orbit ends, and what that means for its gradient."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from explorer.activations import ACTIVATIONS
from explorer.figures import decades
from explorer.theory.fixed_points import FixedPoints, approached_from, fixed_points, orbit
from explorer.theory.two_units import trajectories, two_unit_fixed_points, two_unit_matrix

STEPS = 1000
"""After how many steps an orbit counts as ended; growth is measured over the second half."""
_STILL = 1e-6  # change of a state that counts as none
_EXACT = 1e-9  # distance from 1 of a factor that counts as none
_NAT = math.log10(math.e)  # decades; less in all counts as no growth, as for Lyapunov exponents
_LONGEST = 24  # steps of a cycle that is called one
_ASIDE = 1e-3  # how far from an unstable start its neighbour is


# ---- one unit ----


@dataclass(frozen=True)
class Unit:
    """h ← φ(w·h + b) from one start."""

    weight: float
    bias: float
    activation: str
    start: float

    @cached_property
    def points(self) -> FixedPoints:
        """All fixed points."""
        return fixed_points(self.weight, self.bias, self.activation)

    @cached_property
    def orbit(self) -> tuple[np.ndarray, np.ndarray]:
        """States and log10 |∂h_t/∂h_0| for 0 … ``STEPS``."""
        return orbit(self.weight, self.bias, self.start, STEPS, self.activation)

    @cached_property
    def place(self) -> int | None:
        """Which of the fixed points the orbit comes to."""
        return approached_from(self.weight, self.bias, self.start, self.activation, STEPS)

    @cached_property
    def growth(self) -> float:
        """By how much a step multiplies the gradient in the end."""
        return mean_growth(self.orbit[1])


def one_unit_words(unit: Unit) -> tuple[str, str, str]:
    """(tone, sentence, another one): where the orbit ends and its factor; what is true of the slogan."""
    tone, fate = _fate(unit.growth)
    if _creeps(unit) and "neutral" in unit.points.kinds:
        fate += " so far, and ever more slowly"
    return tone, f"{_end(unit)}: {fate}.", _slogan(unit)


def mean_growth(logs: np.ndarray) -> float:
    """Geometric mean per step over the second half of log10 |∂h_t/∂h_0| [T+1]; 0 once that is −inf."""
    last = len(logs) - 1
    if np.isneginf(logs[-1]):
        return 0.0
    return float(10 ** ((logs[-1] - logs[last // 2]) / (last - last // 2)))


def _swaps(unit: Unit) -> bool:
    before, middle, last = unit.orbit[0][-3:]
    return bool(abs(last - before) < _STILL < abs(last - middle))


def _grows(unit: Unit) -> bool:
    before, _, last = np.abs(unit.orbit[0][-3:])
    return bool(
        not np.isfinite(last) or (ACTIVATIONS[unit.activation].homogeneous and last > before + _STILL)
    )


def _creeps(unit: Unit) -> bool:
    """Whether the orbit has not come to an end."""
    ended = unit.place is not None or unit.points.continuum
    return not (ended or _grows(unit) or _swaps(unit))


def _end(unit: Unit) -> str:
    """Where the orbit is at the end, and the factor there."""
    points, factor = unit.points, unit.growth
    middle, last = unit.orbit[0][-2:]
    if points.continuum:
        said = f"Every state of an interval is a fixed point, and the orbit stays at h = {_state(last)}"
    elif unit.place is not None:
        kind, signed = points.kinds[unit.place], float(points.factors[unit.place])
        factor = signed if np.isclose(abs(signed), factor) else factor  # else reached from one side of a kink
        verb = "ends at the" if kind == "stable" else "rests at the"
        said = f"The orbit {verb} {kind} fixed point h = {_state(points.states[unit.place])}"
    elif _grows(unit):
        said = "The state grows without bound"
    elif _swaps(unit):
        low, high = sorted((middle, last))
        said = f"The orbit ends in a 2-cycle between {_state(low)} and {_state(high)}"
    else:
        said = f"After {STEPS:,} steps the state still creeps, at h = {_state(last)}"
    return f"{said}, with a factor of {_number(factor)} a step"


def _slogan(unit: Unit) -> str:
    """What is true of "|w| < 1 vanishes, > 1 explodes" here."""
    phi, size, growth = ACTIVATIONS[unit.activation], abs(unit.weight), unit.growth
    if size == 0:
        return "With w = 0 no state depends on the one before."
    if unit.activation == "linear":
        return "A linear unit has the slope 1 everywhere, so the slogan is true here: |w| alone decides."
    if phi.homogeneous:
        if growth == 0:
            return f"An inactive {phi.label} has the slope 0: nothing passes, whatever the weight."
        return f"An active {phi.label} has the slope 1, so |w| alone decides; an inactive one passes nothing."
    false, limit = f"“|w| > 1 explodes” is false for {phi.label}", f"{1 / phi.max_slope:.3g}"
    if size * phi.max_slope <= 1:
        bound = f"exceeds {phi.max_slope:.3g}, so with |w| ≤ {limit} the gradient grows from no start."
        return f"{false}: no slope {bound}" if size > 1 else f"No slope of {phi.label} {bound}"
    if growth > 1 + _EXACT:
        beside = replace(unit, start=unit.start + _ASIDE).growth
        return f"Only this very start stays there: from {_ASIDE:g} beside it the factor is {_number(beside)}."
    said = f"{false}: it saturates, here to a slope of {_number(growth / size)}"
    twice = replace(unit, weight=2 * unit.weight)
    if twice.growth < growth:
        said += ". Larger weights vanish faster: "
        said += f"at w = {_state(twice.weight)} the factor is {_number(twice.growth)}"
    return f"{said}."


# ---- two units ----


def two_units_words(growth: float, degrees: float, start: tuple[float, float]) -> tuple[str, str, str]:
    """(tone, sentence, another one): where the orbit of two tanh units ends; what W alone would promise."""
    matrix = two_unit_matrix(growth, math.radians(degrees))
    trajectory, logs = trajectories(matrix, 0.0, np.array([start]), STEPS)
    points, states, rate = two_unit_fixed_points(matrix), trajectory[:, 0], mean_growth(logs[:, 0])
    place, period = points.approached_from(states[-1]), _period(states)
    distances = np.abs(points.states - states[-1]).max(axis=1)
    near = int(distances.argmin())
    where = f"{_named(points.kinds[near])} {_place(points.states[near])}"
    if place is not None:
        rate = float(points.radii[place])
        said = f"The orbit of two units ends at the {where}"
        if "spiral" in points.kinds[place]:
            turn = abs(np.angle(points.eigenvalues[place, 0], deg=True))
            said += f" in turns of {360 / turn:.3g} steps"
    elif period == 1 and distances[near] < _STILL:
        said = f"The orbit of two units rests at the {where}"
    elif "neutral" in points.kinds:
        said = f"After {STEPS:,} steps two units still creep towards the {where}"
    elif period:
        said = f"The orbit of two units ends in a cycle of {period} steps"
    else:
        said = "The orbit of two units goes round without end"
        rate = 1.0 if abs(logs[-1, 0] - logs[STEPS // 2, 0]) < _NAT else rate
    tone, fate = _fate(rate)
    promised = f"{'as' if np.isclose(rate, growth) else 'while'} W alone promises {growth:.3g}"
    return (
        tone,
        f"{said}, with a factor of {_number(rate)} a step, {promised}: {fate}.",
        _counted(points.kinds),
    )


def _period(states: np.ndarray) -> int:
    """After how many steps the last state [T+1, 2] was there before; 0 if more than ``_LONGEST``."""
    distances = np.abs(states[-1 - _LONGEST : -1] - states[-1]).max(axis=1)[::-1]
    same = np.flatnonzero(distances < _STILL)
    return int(same[0]) + 1 if len(same) else 0


def _named(kind: str) -> str:
    return "neutral point" if kind == "neutral" else kind


def _counted(kinds: tuple[str, ...]) -> str:
    count = Counter(kinds)
    if len(kinds) == 1:
        return f"The only fixed point is the {_named(kinds[0])} at 0."
    said = [f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in count.items()]
    return f"There are {len(kinds)} fixed points: {', '.join(said)}."


# ---- words for numbers ----


def _fate(growth: float) -> tuple[str, str]:
    """(tone, words): what becomes of a gradient that each step multiplies by this."""
    if growth == 0:
        return "dead", "nothing of the gradient is left"
    if abs(growth - 1) < _EXACT:
        return "survives", "the gradient keeps its size"
    count = math.log(2) / abs(math.log(growth))
    shown = f"{count:,.0f}" if count >= 1000 else f"{count:.3g}"
    steps = f"{shown} step{'' if shown == '1' else 's'}"
    if growth < 1:
        return "vanishes", f"the gradient vanishes (half-life {steps})"
    return "explodes", f"the gradient explodes (doubling in {steps})"


def _number(value: float) -> str:
    """Three digits and a real minus sign; small numbers as powers of ten."""
    if value == 0:
        return "0"
    return f"{'−' if value < 0 else ''}{decades.number(math.log10(abs(value)))}"


def _state(value: float) -> str:
    """As ``_number``, and 0 for what rounding left of it."""
    return _number(round(float(value), 6) + 0.0)


def _place(state: np.ndarray) -> str:
    return f"({_state(state[0])}, {_state(state[1])})"
