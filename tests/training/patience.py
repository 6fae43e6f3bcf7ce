"""Waiting for what other processes do."""

import time
from collections.abc import Callable

PATIENCE = 60  # seconds after which a test fails


def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
