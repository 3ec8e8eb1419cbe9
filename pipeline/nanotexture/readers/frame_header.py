"""What every reader of frames shares: checks on what stands beside the pixels, and its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.quantities import Frames
from nanotexture.readers.frame_defects import Defects, find_defects
from nanotexture.readers.frame_scan import FrameScan, Pixels, Request
from nanotexture.schema import FRAMES, labelled

Array = NDArray[np.float64]

MAX_ENERGY = 200.0  # keV: above, the number is in eV
MAX_PIXELS = 50_000_000  # of one frame
MAX_FRAMES = 1_000_000
NAN = float("nan")
HC = 12.398419843320026  # keV angstrom, exact in the SI of 2019


@dataclass(frozen=True)
class Recorded:
    """What a file says beside its pixels, by the names and units of the schema FRAMES.

    circles: (frames,) each; mask: True where the file excludes a pixel; more: optional variables of the schema;
    attrs: plain text and numbers.
    """

    circles: Mapping[str, Array]
    monitor: Array | None = None
    seconds: Array | None = None
    attenuation: Array | None = None
    mask: NDArray[np.bool_] | None = None
    saturation: float = NAN
    energy: float = NAN
    temperature: float = NAN
    pixel_size: tuple[float, float] = (NAN, NAN)
    distance: float = NAN
    direct_beam: tuple[float, float] = (NAN, NAN)
    more: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    attrs: Mapping[str, str | int] = field(default_factory=dict)

    def with_attrs(self, attrs: Mapping[str, str | int]) -> Recorded:
        """The same with further attributes."""
        return replace(self, attrs={**self.attrs, **attrs})


def frame_scan(path: Path, found: Recorded, pixels: Pixels, look: int) -> FrameScan:
    """The labelled scan: values checked, pixels that are dead, hot or excluded found in `look` frames and counted."""
    _check_shape(path, pixels.shape)
    frames = pixels.shape[0]
    for name, positions in found.circles.items():
        _check_length(path, f"motor {name}", positions, frames)
        if not np.isfinite(positions).all():
            raise InputError(path, f"motor {name}", "finite angles", "NaN or infinity")
        if np.abs(positions).max() > 720:
            raise InputError(path, f"motor {name}", "angles in deg", f"{np.abs(positions).max():g}")
    _check_numbers(path, found)
    defects = find_defects(path, pixels, found.mask, found.saturation, look)
    return FrameScan(_labelled(path, found, frames, defects), pixels)


def with_defects(path: Path, scan: FrameScan, look: int = Request.look) -> FrameScan:
    """The same scan with pixels that are dead, hot or excluded in `look` of its frames masked and counted."""
    header = scan.header
    masked = header["mask"].values.astype(bool)
    found = find_defects(path, scan.pixels, masked, float(header["saturation"]), look)
    mask = header["mask"].copy(data=found.mask.astype(np.uint8))
    return FrameScan(Frames(header.assign(mask=mask).assign_attrs(found.counted)), scan.pixels)


def _check_shape(path: Path, shape: tuple[int, int, int]) -> None:
    frames, rows, columns = shape
    if not 1 <= frames <= MAX_FRAMES:
        raise InputError(path, "frames", f"1 to {MAX_FRAMES} frames", f"{frames}")
    if rows < 1 or columns < 1 or rows * columns > MAX_PIXELS:
        raise InputError(path, "frames", f"1 to {MAX_PIXELS} pixels", f"{rows} x {columns}")


def _check_length(path: Path, name: str, values: Array, frames: int) -> None:
    if values.shape != (frames,):
        raise InputError(path, name, f"one value for each of {frames} frames", f"{values.size} values")


def _check_numbers(path: Path, found: Recorded) -> None:
    if found.energy > MAX_ENERGY or found.energy <= 0 or np.isinf(found.energy):
        raise InputError(path, "energy", f"0 to {MAX_ENERGY:g} keV", f"{found.energy:g}")
    if found.temperature <= 0 or np.isinf(found.temperature):
        raise InputError(path, "temperature", "above 0 K", f"{found.temperature:g}")
    lengths = {"pixel size": found.pixel_size, "distance": (found.distance,)}
    for name, values in lengths.items():
        if any(value <= 0 or value > 1e5 for value in values):
            raise InputError(path, name, "a length above 0 mm", f"{values}")
    if found.saturation <= 0:
        raise InputError(path, "saturation", "counts above 0", f"{found.saturation:g}")
    for name, array in found.more.items():
        if not np.isfinite(array).all():
            raise InputError(path, name, "finite numbers", "NaN or infinity")


def per_frame(
    path: Path, name: str, values: Array | None, frames: int, *, absent: float, zero: bool = False
) -> Array:
    """Values above zero (or zero too) of each frame, `absent` where nothing was recorded."""
    if values is None:
        return np.full(frames, absent)
    _check_length(path, name, values, frames)
    wrong = ~np.isfinite(values) | (values < 0 if zero else values <= 0)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(path, name, "numbers above 0", f"{values[at]:g} at frame {at}")
    return values


def _labelled(path: Path, found: Recorded, frames: int, defects: Defects) -> Frames:
    names = list(found.circles)
    positions = [found.circles[name] for name in names]
    values = {
        "circle": np.array(names, dtype=object),
        "position": np.array(positions, dtype=np.float64).reshape(len(names), frames),
        "monitor": per_frame(path, "monitor", found.monitor, frames, absent=NAN),
        "seconds": per_frame(path, "counting time", found.seconds, frames, absent=NAN),
        "attenuation": per_frame(path, "attenuation", found.attenuation, frames, absent=1.0),
        "mask": defects.mask.astype(np.uint8),
        "saturation": found.saturation,
        "energy": found.energy,
        "temperature": found.temperature,
        "pixel_size": np.array(found.pixel_size, dtype=np.float64),
        "distance": found.distance,
        "direct_beam": np.array(found.direct_beam, dtype=np.float64),
        **found.more,
    }
    attrs = {"file": path.name, "frames": frames, **found.attrs, **defects.counted}
    return Frames(labelled(values, FRAMES, attrs))


def energy_from_wavelength(wavelength: float) -> float:
    """Photon energy hc / lambda in keV of a wavelength in angstrom; NaN of NaN or what is not above zero."""
    return HC / wavelength if wavelength > 0 else NAN
