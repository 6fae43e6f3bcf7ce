"""What happened to the gradient, in one or two plain sentences computed from the trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.cells import GRU, RNN, Cell
from explorer.cells.ablated import Ablated
from explorer.cells.clockwork import Clockwork
from explorer.cells.integrator import Integrator
from explorer.cells.long_memory import LongMemory
from explorer.cells.peephole import Peephole
from explorer.measures.advice import advise
from explorer.measures.decay import Account, account, half_life_of_norms
from explorer.measures.ledger import Ledger, ledger
from explorer.measures.saturation import leaving_sentence
from explorer.trace import Trace

Tone = Literal["vanishes", "explodes", "survives", "dead", "not_a_number"]
Blame = Literal["matrix", "slope", "gates", "direct path", "loss", "dead units", "nothing"]
_LOSSES, _GATES, _PATHS = "losses on the way", "the gates", "the paths through W_hh"
_SLOPES = "the slopes"
_PLURALS = (_LOSSES, _GATES, _PATHS, _SLOPES)
SURVIVES_WITHIN = 2.0  # decades: a factor of 100 …
SURVIVES_SLOWER = 0.1  # … and decades a step, unless the whole change is below a factor of 2
_SHORT = 5  # steps: "over only 2 steps"
_FAR = (10.0, 3.0)  # parts beyond 10 times the net change and 3 decades more are not told apart


@dataclass(frozen=True)
class Verdict:
    """A judgement on one run; numbers are of the median sample and of the whole state's gradient.

    Attributes:
        text: one to three sentences for students.
        tone: ``survives`` within a factor of 100 between the last loss and t = 0 and at most 0.1 decades a
            step (or within a factor of 2 at any rate), else ``vanishes`` or ``explodes``;
            ``dead`` when the gradient at t = 0 is exactly 0; ``not_a_number`` when it is none.
        decades: decades lost (negative: gained); inf when dead, NaN when not a number.
        steps: number of steps from the last loss back to t = 0.
        half_life: in steps, along most of the way (see ``half_life``); inf when the gradient does not shrink.
            The text says the average over all steps first, which goes with ``decades`` and ``steps``.
        blame: the largest factor: ``matrix`` (for gated cells: the paths through W_hh), ``slope`` (of an
            RNN's activation), ``gates``, ``direct path`` (of cells that hand on a state without a
            gate), ``loss``, ``dead units`` or ``nothing``.
        advice: one sentence on what would save it.
        change: the settings that the advice names, path → value for ``Experiment.changed`` (for
            ``initializer`` and ``loss`` the value is the kind).
    """

    text: str
    tone: Tone
    decades: float
    steps: int
    half_life: float
    blame: Blame
    advice: str
    change: dict[str, float | str]


def verdict(trace: Trace, entries: Ledger | None = None) -> Verdict:
    """Judge a run; ``entries`` is its ledger when it is at hand already. See ``Verdict``."""
    entries = ledger(trace) if entries is None else entries
    sums = account(trace, entries)
    life = half_life_of_norms(entries.norms[: sums.steps + 1])
    tone, blame, text = _judge(trace, entries, sums, life)
    if sums.steps < trace.num_steps and tone != "not_a_number":
        first = sums.steps + 1
        after = (
            f"Step {first} comes" if first == trace.num_steps else f"Steps {first} to {trace.num_steps} come"
        )
        gets = "gets" if first == trace.num_steps else "get"
        text += f" {after} after the loss and {gets} exactly no gradient."
    text = f"{text} {leaving_sentence(trace)}".rstrip()
    advice, change = advise(trace, tone, blame, sums)
    return Verdict(text, tone, sums.lost, sums.steps, life, blame, advice, change)


def _judge(trace: Trace, entries: Ledger, sums: Account, life: float) -> tuple[Tone, Blame, str]:
    norms = entries.norms
    bad = np.isnan(norms) | (norms == np.inf)
    if bad.any():
        step = int(np.flatnonzero(bad.any(axis=1))[-1])
        return "not_a_number", "nothing", f"At step {step} and before it the gradient is not a finite number."
    if np.isinf(sums.lost):
        return _dead(trace, entries, sums)
    over = f"over {'only ' if sums.steps <= _SHORT else ''}{_count(sums.steps, 'step')}"
    slow = abs(sums.lost) <= SURVIVES_SLOWER * sums.steps or abs(sums.lost) < np.log10(2)
    if slow and abs(sums.lost) <= SURVIVES_WITHIN:
        factor = 10 ** abs(sums.lost)
        change = f"{'smaller' if sums.lost > 0 else 'larger'} by a factor of {factor:.3g}"
        how = "unchanged" if abs(sums.lost) < 5e-4 else change
        text = f"The gradient survives: {over} it is {how}{_shares(trace, sums)}."
        return "survives", "nothing", text + _some_dead(norms, sums)
    if sums.lost > 0:
        speed = _speed(sums, life)
        text = f"The gradient loses {sums.lost:.1f} decades {over}{speed}{_shares(trace, sums)}."
        blame = _pointwise_blame(trace) if sums.slope >= sums.matrix else "matrix"
        if np.isnan(sums.slope):
            blame = "dead units" if trace.experiment.cell.homogeneous else "matrix"
        return "vanishes", blame, text + _most_dead(trace, sums) + _some_dead(norms, sums)
    growth = half_life_of_norms(-norms[: sums.steps + 1])
    speed = _speed(sums, growth)
    text = f"The gradient grows by {-sums.lost:.1f} decades {over}{speed}{_shares(trace, sums)}."
    parts: dict[Blame, float] = {
        "matrix": sums.matrix,
        _pointwise_blame(trace): sums.slope,
        "loss": sums.loss,
    }
    return "explodes", min(parts, key=lambda name: parts[name]), text + _some_dead(norms, sums)


def _pointwise_blame(trace: Trace) -> Blame:
    cell = trace.experiment.cell
    if isinstance(cell, (Integrator, Clockwork)):
        return "direct path"
    return "gates" if cell.gates else "slope"


def _speed(sums: Account, life: float) -> str:
    """' and halves every 1.5 steps on average': the mean rate, and the usual one where it differs."""
    rate = abs(sums.lost) / sums.steps
    if rate > np.log10(2):
        if sums.steps <= 1:
            return ""
        speed = f"a factor of {_steps(10**rate)}" if rate < 100 else f"{rate:.0f} decades"
        return f", {speed} at every step on average"
    changes, mean = "halves" if sums.lost > 0 else "doubles", float(np.log10(2) / rate)
    usual = ""
    if sums.steps >= 20 and life < sums.steps and abs(np.log(life / mean)) > np.log(1.12):
        usual = f" (every {_steps(life)} along most of the way)"
    return f" and {changes} every {_steps(mean)} steps on average{usual}"


def _shares(trace: Trace, sums: Account) -> str:
    """': the matrix costs 19.4 decades and tanh's slope 1.2', largest first; none below 0.05."""
    if np.isnan(sums.slope):
        return ", although it is exactly 0 on the way: a loss at an earlier step starts it anew"
    cell = trace.experiment.cell
    if np.count_nonzero(trace.loss_weights) > 1:
        return _renewed(sums)
    costs = {_LOSSES: sums.loss}
    if isinstance(cell, RNN):
        costs |= {f"{cell.function.label}'s slope": sums.slope, "the matrix": sums.matrix}
    else:
        costs |= {_pointwise(cell): sums.slope, _PATHS: sums.matrix}
    if max(map(abs, costs.values())) > _FAR[0] * abs(sums.lost) + _FAR[1]:
        return _cancelling({name: cost for name, cost in costs.items() if name != _LOSSES}, sums.steps)
    named = sorted((item for item in costs.items() if abs(item[1]) >= 0.05), key=lambda item: -abs(item[1]))
    phrases: list[str] = []
    before = ""
    for name, cost in named:
        gain = "give back" if before == "cost" and name != _LOSSES else "add"
        verb = "cost" if cost > 0 else gain
        first, _, rest = verb.partition(" ")
        inflected = verb if name in _PLURALS else f"{first}s {rest}".rstrip()
        unit = "" if phrases else " decades"
        phrase = f"{name} {'' if verb == before else inflected + ' '}{abs(cost):.1f}{unit}"
        output = sums.slope - sums.keeping
        if isinstance(cell, LongMemory) and name == _GATES and abs(output) >= 0.05:
            phrase += f" ({_plain(sums.keeping)} {_keeps(cell)}, {_plain(output)} {_shows(cell)})"
        phrases.append(phrase)
        before = verb
    return ": " + _join(phrases) if phrases else ""


def _pointwise(cell: Cell) -> str:
    """What stands for the ledger's slope in cells other than the RNN."""
    if isinstance(cell, (Integrator, Clockwork)):
        return "the direct path"
    return "the update gate" if isinstance(cell, GRU) else _GATES if cell.gates else _SLOPES


def _keeps(cell: Cell) -> str:
    """What the direct path from c to c is made of."""
    missing = isinstance(cell, Ablated) and cell.missing == "forget"
    return "the cell path" if missing or isinstance(cell, Peephole) else "the forget gate"


def _shows(cell: LongMemory) -> str:
    """What stands between c and h: 'the output gate and tanh c'."""
    shown = cell.functions["c"]
    parts = [] if "output" not in cell.functions else ["the output gate"]
    return " and ".join(parts + ([f"{shown.label} c"] if shown.name != "linear" else []))


def _renewed(sums: Account) -> str:
    """The parts of a sum over many losses are hundreds of decades that nobody sees in the curve."""
    lost = sums.slope + sums.matrix
    if abs(lost) < 0.05:
        return ", with a loss at every step"
    rate = _per_steps(abs(lost), sums.steps)
    if lost < 0:
        return f"; the way back alone gains {rate}, and every step's loss adds to it"
    return f"; the way back alone would lose {rate}, but the losses renew the gradient at every step"


def _cancelling(costs: dict[str, float], steps: int) -> str:
    """One part takes about what the other gives: what they do in a few steps instead of in all."""
    (lower, low), (upper, high) = sorted(costs.items(), key=lambda item: item[1])
    give = "give" if lower in _PLURALS else "gives"
    rate, nearly = _per_steps(high, steps), "more than" if -low > high else "nearly"
    return f"; {upper} alone would lose {rate}, but {lower} {give} {nearly} all of it back"


def _per_steps(decades: float, steps: int) -> str:
    """'3.3 decades per 10 steps': as many steps (1, 10, 100) as keep the number below 5, if any."""
    rate = decades / steps
    span = max((n for n in (1, 10, 100) if n <= steps and rate * n < 5), default=1)
    amount = rate * span
    size = f"{amount:.1f}" if amount >= 0.05 else f"{amount:.1g}"
    return f"{size} decades {'a step' if span == 1 else f'per {span} steps'}"


def _plain(cost: float) -> str:
    """One decimal, no minus sign before a 0."""
    return f"{cost:.1f}".replace("-0.0", "0.0")


def _dead(trace: Trace, entries: Ledger, sums: Account) -> tuple[Tone, Blame, str]:
    """The gradient at t = 0 is exactly 0 in the median sample: say from which step on and why."""
    norms, batch = entries.norms, entries.norms.shape[1]
    zero = norms[: sums.steps] == -np.inf
    sample = next(b for b in reversed(sums.samples) if zero[0, b])
    deaths = [int(np.flatnonzero(zero[:, b])[-1]) for b in np.flatnonzero(zero[0])]
    step, count = int(np.flatnonzero(zero[:, sample])[-1]), len(deaths)
    where = "" if batch == 1 else f" in {'all' if count == batch else f'{count} of'} {batch} sequences"
    since = "at the initial state" if step == 0 else f"at step {step} and all before it"
    if min(deaths) == max(deaths):
        text = f"The gradient is exactly 0 {since}{where}"
    else:
        text = f"The gradient dies{where}, in sequence {sample + 1} it is exactly 0 {since}"
    if not np.isneginf(entries.slope[step, sample]):
        return "dead", "matrix", text + ": the recurrent matrix sends nothing back."
    cell = trace.experiment.cell
    if isinstance(cell, RNN) and cell.activation == "relu":
        size = trace.experiment.hidden_size
        dead = int((trace.forward.slots[step, 0, :, sample] <= 0).sum())
        text += f": {dead} of {size} ReLU units are dead at step {step + 1}, and no other unit carries any."
        return "dead", "dead units", text
    return "dead", _pointwise_blame(trace), text + f": no unit lets anything through at step {step + 1}."


def _most_dead(trace: Trace, sums: Account) -> str:
    """How many ReLU units are dead in the median sample at the worst step, if half of them or more."""
    cell = trace.experiment.cell
    if not (isinstance(cell, RNN) and cell.activation == "relu"):
        return ""
    dead = (trace.forward.slots[: sums.steps, 0, :, sums.samples[0]] <= 0).sum(axis=1)
    size, worst = trace.experiment.hidden_size, int(np.argmax(dead))
    return (
        f" {dead[worst]} of {size} ReLU units are dead at step {worst + 1}."
        if 2 * dead[worst] >= size
        else ""
    )


def _some_dead(norms: np.ndarray, sums: Account) -> str:
    count = int(np.isneginf(norms[0]).sum())
    batch = norms.shape[1]
    return f" In {count} of {batch} sequences it is exactly 0 at the start." if count else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _steps(value: float) -> str:
    """Steps with two or three significant digits, never as a power of ten."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def _join(phrases: list[str]) -> str:
    return phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " and " + phrases[-1]
