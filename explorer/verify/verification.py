"""The verdict of the truth meter, in numbers and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from explorer.trace import Trace
from explorer.verify.comparisons import Worst, autograd_errors, difference_error, end_to_end, power_of_ten
from explorer.verify.rows import Rows
from explorer.verify.textbook import TEXTBOOKS


@dataclass(frozen=True)
class Verification:
    """How far the engine is from two independent ways to the same gradients.

    Attributes:
        autograd_step: largest ‖engine − autograd‖/‖autograd‖ of ∂L/∂s_{t−1} computed from ∂L/∂s_t through one
            step on the stored states, s all states of the cell; None if nothing could be compared.
        autograd_full: largest |difference| in decades of ‖∂L/∂h_t‖ against autograd through the whole
            sequence, on a few samples and where autograd's own number is above 1e-290; None if not done.
        full_reason: why ``autograd_full`` is None, else empty.
        finite_differences: largest relative error of ⟨∂L/∂s_t, (F(s + εu) − F(s − εu)) / 2ε⟩ along the unit
            adjoint u at t−1; None where no step is suited.
        worst_at: (t, sample) where the comparison that leaves its tolerance furthest behind is worst.
        compared: pairs of step and sample in ``autograd_step``; left_out: how many of them had to be left out
            of it; left_out_differences: of ``finite_differences``.
        single: whether the run is float32.
        textbook: whether the step was written a second time; else the cell's own ``core`` was run again,
            which checks the engine and not the core.
    """

    autograd_step: float | None
    autograd_full: float | None
    full_reason: str
    finite_differences: float | None
    worst_at: tuple[int, int]
    compared: int
    left_out: int
    left_out_differences: int
    single: bool
    textbook: bool

    @property
    def tolerance(self) -> float:
        """Of the relative error against autograd; that in decades is held to as much."""
        return _tolerance(self.single)

    @property
    def verdict(self) -> Literal["agrees", "differs", "nothing"]:
        """Whether all that was compared is within tolerance (finite differences: 1e-5, float32 1e-3)."""
        if self.autograd_step is None:
            return "nothing"
        right = (
            self.autograd_step <= self.tolerance
            and (self.autograd_full or 0) <= self.tolerance
            and (self.finite_differences or 0) <= _difference_tolerance(self.single)
        )
        return "agrees" if right else "differs"

    @property
    def passed(self) -> bool:
        """True when something was compared and agrees."""
        return self.verdict == "agrees"

    @property
    def text(self) -> str:
        """All of it in a few sentences; the first says the verdict."""
        if self.autograd_step is None:
            return "Nothing can be compared: states or gradients are not finite numbers."
        says, where = "agrees", ""
        if self.verdict == "differs":
            says, where = "does NOT agree", f" (worst at t = {self.worst_at[0]}, sample {self.worst_at[1]})"
        step, full = power_of_ten(self.autograd_step), self.autograd_full
        text = f"The engine {says} with PyTorch autograd: largest relative error {step}"
        text += f" over {self.compared} steps × samples"
        text += f"; through the whole sequence {power_of_ten(full)} decades" if full is not None else ""
        found = self.finite_differences
        text += f"; against finite differences {'not possible' if found is None else power_of_ten(found)}"
        text += f"{where}."
        if self.left_out:
            text += f" {self.left_out} steps at a kink or outside the range of floats are left out."
        if self.left_out_differences:
            text += f" {self.left_out_differences} steps at a kink or too flat for finite differences"
            text += " are left out there."
        if not self.textbook:
            text += " The equations were taken from the cell itself: they are not compared with a textbook's."
        if self.full_reason:
            text += f" Not compared end to end: {self.full_reason}."
        if self.single:
            text += " The run is float32, the reference float64 at its stored states:"
            text += f" up to {power_of_ten(self.tolerance)} is rounding."
        return text


def _tolerance(single: bool) -> float:
    return 1e-3 if single else 1e-9


def _difference_tolerance(single: bool) -> float:
    return 1e-3 if single else 1e-5


def verify(trace: Trace, max_work: float = 1e8) -> Verification:
    """Compare a trace's gradients with torch autograd and with central differences.

    All arithmetic is float64; a float32 trace is compared with float64 derivatives at its stored float32
    states and weights. One-step comparisons are right in chaos too, where two correct forward passes part.

    Args:
        trace: a run of any cell alone.
        max_work: multiplications to spend; beyond it fewer samples are compared (at least one) and the
            end-to-end loop is left out.

    Raises:
        ValueError: the trace is a layer of a network, into whose gradient more enters than its own loss.
    """
    if trace.of_network:
        raise ValueError("this trace is a layer of a network: only a cell alone can be verified")
    rows = Rows(trace, max_work)
    single = trace.experiment.dtype == "float32"
    tolerance = _tolerance(single)
    step, compared, left_out = autograd_errors(rows)
    full, reason = end_to_end(rows, max_work, tolerance)
    differences, left_out_differences = difference_error(rows)
    limits = (tolerance, tolerance, _difference_tolerance(single))
    found: list[tuple[float, Worst]] = [
        (worst.error / limit, worst)
        for worst, limit in zip((step, full, differences), limits, strict=True)
        if worst is not None
    ]
    at = max(found, key=lambda pair: pair[0])[1].at if found else (0, 0)
    return Verification(
        None if step is None else step.error,
        None if full is None else full.error,
        reason,
        None if differences is None else differences.error,
        at,
        compared,
        left_out,
        left_out_differences,
        single,
        trace.experiment.cell.kind in TEXTBOOKS,
    )
