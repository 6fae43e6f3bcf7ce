"""How every network of this room is trained: Adam with clipping, and its state to go on from."""

from __future__ import annotations

import numpy as np
import torch

from explorer.seq2seq.records import Record

_CLIP = 1.0


class Descent:
    """Adam, its learning rate falling in a straight line to 0, with the gradient's norm clipped at 1.

    Args:
        network: whose weights are moved.
        learning_rate: of the first step.
        steps: how many there will be.
    """

    def __init__(self, network: torch.nn.Module, learning_rate: float, steps: int) -> None:
        self._network, self._rate, self._steps = network, learning_rate, steps
        self._weights = list(network.parameters())
        self._adam = torch.optim.Adam(self._weights, lr=learning_rate, fused=True)

    def step(self, loss: torch.Tensor, done: int) -> str:
        """Move the weights against ∂loss after ``done`` steps; returns "" or why they were left alone."""
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self._weights, _CLIP)
        if not bool(torch.isfinite(norm)):
            return f"Step {done + 1}: the gradient's norm is {norm.item()}; the run stopped before it."
        for group in self._adam.param_groups:
            group["lr"] = self._rate * (1 - done / self._steps)
        self._adam.step()
        return ""

    def weights(self) -> dict[str, np.ndarray]:
        """A copy of the network's weights."""
        return {name: value.numpy().copy() for name, value in self._network.state_dict().items()}

    def state(self) -> dict[str, np.ndarray]:
        """A copy of Adam's state: "number of the weight/key" → value."""
        return {
            f"{number}/{key}": value.numpy().copy()
            for number, weight in enumerate(self._weights)
            for key, value in self._adam.state.get(weight, {}).items()
        }

    def restore(self, record: Record) -> None:
        """Weights and Adam as they were recorded."""
        self._network.load_state_dict({name: torch.tensor(value) for name, value in record.state.items()})
        self._adam.state.clear()
        for name, value in record.optimizer.items():
            number, key = name.split("/")
            self._adam.state[self._weights[int(number)]][key] = torch.tensor(value)
