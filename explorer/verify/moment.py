"""What a textbook's step meets in torch: products with the weights, activations, held gates, new states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

MILD = 2.0  # |a| up to which torch's own rules for tanh and σ lose no digits worth naming (5e-15)
# Where the slope of φ has a jump or, for softsign, a kink: differences across it see both of its sides.
_ENDS = {
    "relu": (0.0,),
    "softsign": (0.0,),
    "hard_sigmoid": (-3.0, 3.0),
    "hard_sigmoid_keras": (-2.5, 2.5),
}


def exact_tanh(a: torch.Tensor) -> torch.Tensor:
    """±(1 − q)/(1 + q), q = e^(−2|a|): torch differentiates its own tanh as 1 − y², 0 for |a| > 19.

    Below ``MILD`` it is torch's own, because 1 − q has no digits left for small a.
    """
    import torch

    positive = a >= 0
    q = torch.exp(-2 * torch.where(positive, a, -a))
    y = (1 - q) / (1 + q)
    return torch.where(a.abs() < MILD, a.tanh(), torch.where(positive, y, -y))


def exact_sigmoid(a: torch.Tensor) -> torch.Tensor:
    """1/(1 + e^(−a)): torch's own sigmoid is differentiated as y(1 − y), which is 0 for a > 37."""
    return 1 / (1 + (-a).exp())


def exact_softsign(a: torch.Tensor) -> torch.Tensor:
    """±(1 − 1/(1 + |a|)) beyond ``MILD``: the slope of a/(1 + |a|) is a difference there, without digits."""
    import torch

    size = a.abs()
    return torch.where(size < MILD, a / (1 + size), a.sign() * (1 - 1 / (1 + size)))


@dataclass(frozen=True)
class Weights:
    """The weights in float64 under their torch names, as tensors.

    Attributes:
        w_ih: [K·H, I]; w_hh: [K·H, H]; b_ih, b_hh: [K·H].
        mild: whether no pre-activation and no state of the run leaves ±``MILD``.
    """

    w_ih: torch.Tensor
    w_hh: torch.Tensor
    b_ih: torch.Tensor
    b_hh: torch.Tensor
    mild: bool

    @property
    def size(self) -> int:
        """H."""
        return int(self.w_hh.shape[1])

    def from_input(self, x: torch.Tensor, scale: Any = 1.0) -> torch.Tensor:
        """W x + b_ih [rows, K·H]; ``scale`` multiplies x and the bias (rescaled states)."""
        given: torch.Tensor = (x @ self.w_ih.T + self.b_ih) * scale
        return given


@dataclass
class Moment:
    """One step of n rows, each a pair of step and sample; tensors [n, H].

    Attributes:
        weights: those of the run.
        given: W x + b_ih, [n, K·H].
        old: the states before the step.
        steps: which step 1 … T a row is, [n, 1].
        scale: 2^(−exponent of the stored state), [n, 1], or 1.
        vectors: further weights and schedules of the cell, [n, H] or [1, H].
        held: gate → (where, value), [n, H].
        cut: whether formulas that use a new state take it as a leaf, so that derivatives stop there.
        new: the new states; leaves: what later formulas of the step were given for them.
        kinks: (distance of a pre-activation from a kink, where the kink lies).
    """

    weights: Weights
    given: torch.Tensor
    old: dict[str, torch.Tensor]
    steps: torch.Tensor
    scale: Any = 1.0
    vectors: Mapping[str, torch.Tensor] = field(default_factory=dict)
    held: Mapping[str, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict)
    cut: bool = False
    new: dict[str, torch.Tensor] = field(default_factory=dict)
    leaves: dict[str, torch.Tensor] = field(default_factory=dict)
    kinks: list[tuple[torch.Tensor, float]] = field(default_factory=list)

    # ---- pre-activations ----

    def slots(self) -> tuple[torch.Tensor, ...]:
        """W_k x + b_ih,k + U_k h + b_hh,k for every block k."""
        a = self.given + self.old["h"] @ self.weights.w_hh.T + self.weights.b_hh * self.scale
        found: tuple[torch.Tensor, ...] = a.split(self.weights.size, dim=1)
        return found

    def slot(self, block: int) -> torch.Tensor:
        """One of them."""
        return self.from_input(block) + self.recurrent(block, self.old["h"]) + self.bias(block)

    def from_input(self, block: int) -> torch.Tensor:
        """W_k x + b_ih,k."""
        return self.given[:, self._rows(block)]

    def recurrent(self, block: int, vector: torch.Tensor) -> torch.Tensor:
        """U_k times a vector."""
        return vector @ self.weights.w_hh[self._rows(block)].T

    def bias(self, block: int) -> torch.Tensor:
        """b_hh,k."""
        found: torch.Tensor = self.weights.b_hh[self._rows(block)] * self.scale
        return found

    def _rows(self, block: int) -> slice:
        return slice(block * self.weights.size, (block + 1) * self.weights.size)

    # ---- activations ----

    def tanh(self, a: torch.Tensor) -> torch.Tensor:
        """Hyperbolic tangent."""
        return a.tanh() if self.weights.mild else exact_tanh(a)

    def sigmoid(self, a: torch.Tensor) -> torch.Tensor:
        """Logistic function."""
        return a.sigmoid() if self.weights.mild else exact_sigmoid(a)

    def apply(self, name: str, a: torch.Tensor) -> torch.Tensor:
        """An activation by its name; kinks are noted."""
        from torch.nn import functional

        for end in _ENDS.get(name, ()):
            self.kinks.append((a - end, abs(end)))
        functions: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
            "tanh": self.tanh,
            "sigmoid": self.sigmoid,
            "relu": functional.relu,
            "linear": lambda a: a,
            "softsign": exact_softsign,
            # torch's own hardsigmoid has a slope of 1/6 in single precision.
            "hard_sigmoid": lambda a: functional.hardtanh(a / 6 + 0.5, 0.0, 1.0),
            "hard_sigmoid_keras": lambda a: functional.hardtanh(0.2 * a + 0.5, 0.0, 1.0),
        }
        return functions[name](a)

    def one_minus(self, name: str, a: torch.Tensor) -> torch.Tensor:
        """1 − φ(a), with its digits where φ comes close to 1."""
        if name == "sigmoid":
            return self.sigmoid(-a)
        return 2 * self.sigmoid(-2 * a) if name == "tanh" else 1 - self.apply(name, a)

    # ---- results ----

    def gate(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """The value, or what the gate is held at."""
        import torch

        where, held = self.held.get(name, (None, value))
        return value if where is None else torch.where(where, held, value)

    def complement(self, gate: str, value: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """``other``, or 1 − ``value`` where the gate is held."""
        import torch

        where, _ = self.held.get(gate, (None, value))
        return other if where is None else torch.where(where, 1 - value, other)

    def vector(self, name: str) -> torch.Tensor:
        """One number for each unit."""
        return self.vectors[name]

    def state(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """Keep a new state; returns what later formulas of the step must use for it."""
        self.new[name] = value
        self.leaves[name] = value.detach().requires_grad_() if self.cut else value
        return self.leaves[name]
