"""One of each kind of cell, some with settings that take another way through the engine."""

from typing import Any

VARIANTS: dict[str, dict[str, Any]] = {
    "tanh": {"kind": "rnn"},
    "relu": {"kind": "rnn", "activation": "relu"},
    "linear": {"kind": "rnn", "activation": "linear", "bias": 0.3},
    "lstm": {"kind": "lstm", "forget_bias": 1.0},
    "gru": {"kind": "gru"},
    "gru, 1 - z keeps": {"kind": "gru", "update": "renews"},
    "gru, reset before": {"kind": "gru", "reset": "before", "reset_bias": -0.5},
    "lstm, hard gates": {
        "kind": "lstm",
        "forget_activation": "hard_sigmoid",
        "input_activation": "hard_sigmoid_keras",
        "output_activation": "softsign",
    },
    "gru, tanh update": {"kind": "gru", "update_activation": "tanh"},
    "peephole": {"kind": "peephole", "peephole_strength": 2.0},
    "coupled": {"kind": "coupled", "input_bias": -1.0},
    "ablated": {"kind": "ablated", "without": "input_activation"},
    "mgu": {"kind": "mgu", "forget_bias": 0.5},
    "residual": {"kind": "residual"},
    "residual, relu": {"kind": "residual", "activation": "relu", "bias": 0.2},
    "antisymmetric": {"kind": "antisymmetric", "step_size": 0.4},
    "clockwork": {"kind": "clockwork", "periods": "1, 2, 3"},
    "echo": {"kind": "echo"},
}
