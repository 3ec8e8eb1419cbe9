"""Headers of frames for tests, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from nanotexture.quantities import Frames
from nanotexture.schema import FRAMES, labelled

NAN = float("nan")


def header_of(
    positions: dict[str, Any], shape: tuple[int, int] = (6, 5), file: str = "scan.spec", **changes: Any
) -> Frames:
    """A header with motors (name: degrees per frame) and, unless changed, no more than the energy."""
    frames = max((np.size(p) for p in positions.values()), default=1)
    nothing = np.full(frames, NAN)
    values = {
        "circle": np.array(list(positions), dtype=object),
        "position": np.array([np.broadcast_to(p, frames) for p in positions.values()], float).reshape(-1, frames),
        "monitor": nothing,
        "seconds": nothing,
        "attenuation": np.ones(frames),
        "mask": np.zeros(shape, np.uint8),
        "saturation": NAN,
        "energy": 10.0,
        "temperature": NAN,
        "pixel_size": np.full(2, NAN),
        "distance": NAN,
        "direct_beam": np.full(2, NAN),
    }  # fmt: skip
    return Frames(labelled(values | changes, FRAMES, {"file": file}))
