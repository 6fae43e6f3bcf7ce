"""The residual recurrent cell: the old state plus a small step."""

from __future__ import annotations

from typing import Literal

from explorer.activations import ACTIVATIONS, Activation
from explorer.cells.integrator import Integrator, bias_parameter
from explorer.parameters import parameter


class Residual(Integrator):
    r"""Residual recurrent cell: an Euler step of size ε along φ(a_t) (He et al. 2016, applied to time).

    .. math::
        a_t = W x_t + b_{ih} + U h_{t-1} + b_{hh}, \qquad h_t = h_{t-1} + \varepsilon\, \varphi(a_t)

    Shapes: x [I], h and a [H], W [H, I], U [H, H]. Jacobian: ∂h_t/∂h_{t-1} = I + ε diag(φ′(a_t)) U: with
    U = 0 or ε = 0 exactly the identity, for linear φ the eigenvalues are 1 + ελ in place of λ.
    """

    kind: Literal["residual"] = "residual"
    step_size: float = parameter(
        0.1,
        "step size ε",
        "How far one step moves the state; at 0 it stays for ever.",
        bounds=(0, 1),
        step=0.01,
    )
    activation: Literal["tanh", "relu", "linear"] = parameter(
        "tanh",
        "activation",
        "The function φ of what is added; the old state passes beside it.",
        names={"tanh": "tanh", "relu": "ReLU", "linear": "linear"},
    )
    bias: float = bias_parameter()

    @property
    def function(self) -> Activation:
        """The chosen activation."""
        return ACTIVATIONS[self.activation]

    @property
    def homogeneous(self) -> bool:
        """True for ReLU and linear."""
        return self.function.homogeneous

    @property
    def rates(self) -> tuple[float, float, float]:
        """Everything is kept: 1, ε, 0."""
        return 1.0, self.step_size, 0.0
