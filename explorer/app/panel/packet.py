"""Packets of bytes for the browser: a JSON header followed by the raw arrays.

Layout: ``uint32 header length | header (UTF-8 JSON) | padding to 8 | arrays, each padded to 8``. An array is
written in the JSON as ``{"$array": [dtype, offset, shape]}``; ``basics.js`` turns it into a typed array
without parsing a single number.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

__all__ = ["Arrays", "figure_spec", "join_packet", "packed_figure"]

FULL_PRECISION_POINTS = 5000
_CURVES = {"scatter", "scattergl", "bar", "histogram"}


class Arrays:
    """Collects arrays behind each other and remembers where each of them starts."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, array: np.ndarray) -> dict[str, Any]:
        """Append ``array`` (1-D or 2-D) and return its place in the packet."""
        if array.ndim not in (1, 2):
            raise ValueError(f"a figure's array must have 1 or 2 axes, not {array.ndim}")
        raw = np.ascontiguousarray(array).tobytes()
        place = [f"{array.dtype.kind}{array.dtype.itemsize}", self.size, list(array.shape)]
        self.parts.append(raw + bytes(-len(raw) % 8))
        self.size += len(self.parts[-1])
        return {"$array": place}


def _for_browser(array: np.ndarray, full: bool) -> np.ndarray | None:
    """Return ``array`` in a dtype the browser has a typed array for; None for text and objects."""
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8)
    if kind in "iu":
        fits = array.size == 0 or (int(array.min()) >= -(2**31) and int(array.max()) < 2**31)
        return array.astype("<i4" if fits else "<f8")
    if kind == "f":
        with np.errstate(over="ignore"):  # beyond 3e38 a heat map shows infinity
            return array.astype("<f8" if full else "<f4")
    return None


def _pack(node: Any, arrays: Arrays, full: bool) -> Any:
    """Copy ``node`` into plain JSON values, moving its arrays into ``arrays``."""
    if isinstance(node, np.ndarray):
        ready = _for_browser(node, full) if node.ndim else None
        return arrays.add(ready) if ready is not None else _pack(node.tolist(), arrays, full)
    if isinstance(node, Mapping):
        return {str(name): _pack(child, arrays, full) for name, child in node.items()}
    if isinstance(node, list | tuple):
        return [_pack(child, arrays, full) for child in node]
    if isinstance(node, np.generic):
        node = node.item()
    if isinstance(node, float) and not math.isfinite(node):
        return None
    return node


def _is_short_curve(trace: Mapping[str, Any]) -> bool:
    y = trace.get("y")
    return (
        trace.get("type", "scatter") in _CURVES
        and np.size(y if y is not None else ()) < FULL_PRECISION_POINTS
    )


def packed_figure(figure: Mapping[str, Any], arrays: Arrays) -> dict[str, Any]:
    """A Plotly figure as plain JSON values, its arrays moved into ``arrays``."""
    traces = [_pack(trace, arrays, _is_short_curve(trace)) for trace in figure.get("data", ())]
    return {"data": traces, "layout": _pack(figure.get("layout", {}), arrays, True)}


def figure_spec(figure: Mapping[str, Any]) -> tuple[str, Arrays, str]:
    """Return a Plotly figure as (JSON text, arrays, hash of both).

    Curves of fewer than 5000 points keep float64, so that the CSV download holds every digit; heat maps and
    long traces travel as float32.
    """
    arrays = Arrays()
    text = json.dumps(packed_figure(figure, arrays), allow_nan=False, separators=(",", ":"))
    digest = blake2b(text.encode(), digest_size=12)
    for part in arrays.parts:
        digest.update(part)
    return text, arrays, digest.hexdigest()


def join_packet(header: str, parts: list[bytes]) -> bytes:
    """Put the header's JSON text and the arrays into one packet."""
    head = header.encode()
    return b"".join([struct.pack("<I", len(head)), head, bytes(-(4 + len(head)) % 8), *parts])
