"""What the section Objectives says of one decoder step, of the draw, and of REINFORCE's noise."""

from __future__ import annotations

import math

from explorer.app.attention.objective_measured import Objectives
from explorer.app.attention.taught import Pupil
from explorer.app.sections import literal
from explorer.figures.decades import number, plain
from explorer.seq2seq.learning import TranslationMoment


def step_words(found: Objectives, step: int) -> str:
    """What happens to the right token's logit at decoder step ``step`` ≥ 1."""
    row, right = step - 1, int(found.right[step - 1])
    likely, smooth, own, paid = (part.at_logits[row, right] for part in found.parts.values())
    p, name = chance(-float(likely)), literal(found.tokens[right])
    return (
        f"Step {step}, right token “{name}” with p = {p}: the gradient of its logit is "
        f"{signed(likely)} for likelihood, {signed(smooth)} for label smoothing, {signed(own)} for scheduled "
        f"sampling, {signed(paid)} for the reward of one draw."
    )


def example_words(pupil: Pupil, moment: TranslationMoment, found: Objectives) -> str:
    """Whose weights these are, what it reads and says by itself, and what it is paid."""
    trained = f"after {moment.step:,} training steps" if moment.step else "untrained"
    return (
        f"“{pupil.title}” {trained} reads “{literal(found.source)}” and draws “{literal(found.answer)}”, "
        f"paid R = {plain(found.reward)} against b = {plain(found.baseline)}."
    )


def noise_words(found: Objectives) -> str:
    """How far one draw is off in the encoder, and how many would be needed."""
    estimate = found.estimate
    many = f"all {estimate.answers:,} answers" if estimate.counted else f"{estimate.answers:,} draws"
    if not estimate.paid:
        return f"Of {many} none is paid: REINFORCE gives no gradient at all."
    scatter = float(estimate.deviation(found.baseline))
    if not estimate.size:
        return f"The mean over {many} cannot be told from 0; in the encoder one scatters by {short(scatter)}."
    ratio = scatter / estimate.size
    need = max(1, round(ratio**2))
    return (
        f"Over {many}: in the encoder one draw scatters by {plain(ratio)} times the length of the mean, so "
        f"the mean of {need:,} draw{'s' * (need > 1)} has as much noise as signal."
    )


def chance(rest: float) -> str:
    """The probability 1 − ``rest``, which rounding would make 1."""
    if 0 < rest < 1e-3:
        return f"1 − {short(rest)}"
    return plain(1 - rest)


def signed(value: float) -> str:
    """Three digits and a sign; 0 has none."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + short(abs(float(value)))


def short(value: float) -> str:
    """A number from 0 on with three digits, tiny ones with a power of ten."""
    return number(math.log10(value)) if value else "0"
