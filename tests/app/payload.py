"""What the figure panel is sent, read back from its packet of bytes (see explorer/app/panel/packet.py)."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

GROUPS = ("network", "activations", "run", "start", "view", "inspect", "shared", "own")
DTYPES = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u1": "u1"}


def element(at: AppTest, key: str) -> Any:
    """The proto of a component; AppTest knows it as an unknown element with a key."""
    return next(item.proto for item in at.main if getattr(item, "key", None) == key)


def decode(packet: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the bytes of all arrays."""
    (length,) = struct.unpack_from("<I", packet)
    return json.loads(packet[4 : 4 + length]), packet[-(-(4 + length) // 8) * 8 :]


def revive(node: Any, raw: bytes, base: int = 0) -> Any:
    """The JSON with its arrays put back."""
    if isinstance(node, list):
        return [revive(child, raw, base) for child in node]
    if not isinstance(node, dict):
        return node
    if "$array" not in node:
        return {name: revive(child, raw, base) for name, child in node.items()}
    dtype, offset, shape = node["$array"]
    return np.frombuffer(raw, DTYPES[dtype], int(np.prod(shape)), base + offset).reshape(shape)


def open_groups(at: AppTest, names: Sequence[str] = GROUPS) -> AppTest:
    """Open boxes of the sidebar before the first run: what is closed is not made."""
    at.session_state["groups"] = dict.fromkeys(names, True)
    return at


def panel_of(at: AppTest, key: str = "flow") -> dict[str, Any]:
    """The panel's header; ``figures`` is a dict from id to description with ``data`` and ``layout``.

    Figures that follow the first picture are put in their places. The number of the picture is left out, for
    it counts how often the page was drawn.
    """
    header, raw = decode(element(at, key).bytes)
    places = {item["id"]: item for item in header["figures"]}
    found = {
        name: item | revive(item["spec"], raw, item["base"])
        for name, item in places.items()
        if "spec" in item
    }
    if len(found) < len(places):
        later, raw = decode(element(at, f"{key}-later").bytes)
        assert later["picture"] == header["picture"]
        found |= {item["id"]: item | revive(item["spec"], raw, item["base"]) for item in later["figures"]}
    del header["picture"]
    return header | {"figures": {name: found[name] for name in places}}


def frames_of(at: AppTest) -> dict[str, Any]:
    """The curves for the knob's whole range."""
    return revive(*decode(element(at, "flow-frames").bytes))


def median_of(at: AppTest) -> np.ndarray:
    """The main curve as drawn: NaN where the number is 0 or not finite."""
    return panel_of(at)["figures"]["gradient"]["data"][0]["y"]


def assert_same(one: Any, two: Any, where: str = "") -> None:
    """Equal to the last digit, NaN included."""
    if isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, two, err_msg=where)
        assert one.dtype == two.dtype, where
    elif isinstance(one, dict):
        assert list(one) == list(two), where
        for name in one:
            assert_same(one[name], two[name], f"{where}.{name}")
    elif isinstance(one, list):
        assert len(one) == len(two), where
        for k, (a, b) in enumerate(zip(one, two, strict=True)):
            assert_same(a, b, f"{where}[{k}]")
    else:
        assert one == two, where
