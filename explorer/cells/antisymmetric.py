"""The antisymmetric recurrent cell: its matrix neither grows nor shrinks a length."""

from __future__ import annotations

from typing import Literal

import numpy as np

from explorer.cells.integrator import Integrator, bias_parameter
from explorer.parameters import parameter


class Antisymmetric(Integrator):
    r"""AntisymmetricRNN (Chang, Chen, Haber & Chi 2019), an Euler step of a stable differential equation.

    .. math::
        a_t = V x_t + b_{ih} + A h_{t-1} + b_{hh}, \quad A = M - M^\top, \qquad
        h_t = h_{t-1} + \varepsilon \tanh(a_t - \gamma h_{t-1})

    M is drawn as the recurrent matrices of all cells are; ``weight_hh`` holds A times the weight scale.
    Shapes: x [I], h and a [H], V [H, I], A [H, H]. Jacobian, with D = diag(1/cosh²(a_t − γ h_{t-1})):
    ∂h_t/∂h_{t-1} = I + ε D (A − γ I).
    The eigenvalues of A lie on the imaginary axis, so the differential equation keeps lengths; the Euler step
    lengthens them by √(1 + ε²λ²), which the diffusion γ makes up for. A symmetric M leaves A = 0.
    """

    kind: Literal["antisymmetric"] = "antisymmetric"
    step_size: float = parameter(
        0.1,
        "step size ε",
        "How far one step moves the state; small steps come close to the differential equation.",
        bounds=(0, 1),
        step=0.01,
    )
    diffusion: float = parameter(
        0.01,
        "diffusion γ",
        "Pulls every unit back a little: makes up for what the Euler step adds in length.",
        bounds=(0, 1),
        step=0.01,
    )
    bias: float = bias_parameter()

    @property
    def rates(self) -> tuple[float, float, float]:
        """1, ε, γ."""
        return 1.0, self.step_size, self.diffusion

    def constrain(self, matrix: np.ndarray) -> np.ndarray:
        """A = M − Mᵀ."""
        return np.asarray(matrix - matrix.T)
