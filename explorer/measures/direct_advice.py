"""What would make a cell with an ungated direct path keep its gradient, and the setting that it names."""

from __future__ import annotations

import numpy as np

from explorer.cells.antisymmetric import Antisymmetric
from explorer.cells.clockwork import LONGEST, MOST, Clockwork, parse_periods
from explorer.cells.echo import Echo
from explorer.cells.residual import Residual
from explorer.measures.decay import Account
from explorer.measures.gate_advice import KEEP, Advice, number
from explorer.trace import Trace

_UPDATES = 4  # in which a module may lose what it holds


def for_direct_path(trace: Trace, sums: Account) -> Advice | None:
    """How such a cell loses less; None where its own settings have nothing more to give."""
    cell = trace.experiment.cell
    if isinstance(cell, Echo):
        return _leak_less(cell, sums.steps)
    if isinstance(cell, Antisymmetric) and cell.diffusion > 0:
        kept = 1 - cell.step_size * cell.diffusion
        cost = -sums.steps * np.log10(kept) if kept > 0 else np.inf
        if cost > KEEP:
            each = f"{number(cost)} decades" if np.isfinite(cost) else "everything"
            return (
                f"Lower the diffusion γ from {number(cell.diffusion)} to 0: it alone may cost {each}.",
                {"cell.diffusion": 0.0},
            )
    if isinstance(cell, (Residual, Antisymmetric)):
        return _smaller_steps(cell, sums)
    return _slower_module(cell, sums.steps) if isinstance(cell, Clockwork) else None


def _leak_less(cell: Echo, steps: int) -> Advice | None:
    """The largest leak rate in hundredths whose direct path costs at most two decades on the way."""
    target = max(0.01, float(np.floor(100 * (1 - 10 ** (-KEEP / steps))) / 100))
    if target >= cell.leak_rate:
        return None
    cost = -steps * np.log10(1 - target)
    return (
        f"Lower the leak rate from {number(cell.leak_rate)} to {number(target)}: the direct path alone then "
        f"costs {number(cost)} decades.",
        {"cell.leak_rate": target},
    )


def _smaller_steps(cell: Residual | Antisymmetric, sums: Account) -> Advice | None:
    """What is lost is about proportional to ε: the ε at which it would be two decades."""
    lost = sums.lost if np.isfinite(sums.lost) else 10 * KEEP
    target = max(0.01, float(np.floor(100 * cell.step_size * KEEP / max(lost, 2 * KEEP)) / 100))
    if target >= cell.step_size:
        return None
    return (
        f"Lower the step size from {number(cell.step_size)} to {number(target)}: the less a step moves, the "
        "closer its Jacobian is to the identity.",
        {"cell.step_size": target},
    )


def _slower_module(cell: Clockwork, steps: int) -> Advice | None:
    """A module that is updated only a few times on the way."""
    periods = parse_periods(cell.periods)
    slow = min(LONGEST, max(2, steps // _UPDATES))
    if periods[-1] >= slow or len(periods) >= MOST:
        return None
    return (
        f"Add a module with period {slow}: on the way back its gradient meets the matrix only "
        f"{steps // slow} times.",
        {"cell.periods": f"{cell.periods}, {slow}"},
    )
