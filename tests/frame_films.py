"""A striped film's reflection as frames of a six-circle diffractometer, at any temperature."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import h5py
import numpy as np
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack
from nanotexture.simulate.axes import Axes
from nanotexture.simulate.brightness import Brightness, bright_map
from nanotexture.simulate.frame_files import write_frames
from nanotexture.simulate.frames import Frames, frames_from_map
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import Disorder
from nanotexture.simulate.six_circle import AreaDetector, rocking_angles

HKL = (1, 0, 3)
A, ENERGY, PLANES = 3.905, 9.0, 16
INSTRUMENT = Instrument(energy_kev=ENERGY, resolution=(3e-3, 3e-3), qy_width=0.012, background=0.5)
DETECTOR = AreaDetector((96, 64), 0.2, 500.0, (48.0, 32.0))
FRAMES = 40
RECIPE = """
name = "rocked"
[input]
kind = "frames"
files = ["*.nxs"]
"""


def stack(c: float) -> Stack:
    return Stack(A, (Layer(built_in("PbTiO3"), PLANES, c),))


@cache
def bright(c: float = 4.08) -> Brightness:
    """The reflection of stripes of 40 cells, before anything is counted."""
    period = 40 * A
    u = np.zeros((3, 24, 1, PLANES))
    u[2] = 0.25 * np.sin(2 * np.pi * np.arange(24) / 24)[:, None, None]
    qx, qz = 2 * np.pi / A, 6 * np.pi / c
    axes = Axes(qx + np.linspace(-0.13, 0.13, 131), qz + np.linspace(-0.13, 0.13, 101))
    return bright_map(
        motif=Motif((period, A), u, None), stack=stack(c), substrate=None, hkl=HKL, axes=axes,
        disorder=Disorder(coherence=200.0, places=4, cumulative=0.05), instrument=INSTRUMENT, seed=1,
    )  # fmt: skip


@cache
def frames(c: float = 4.08, seed: int = 3) -> Frames:
    """Rocked through the reflection of a film of this c in angstrom."""
    angles = rocking_angles(q=(2 * np.pi / A, 6 * np.pi / 4.08), energy_kev=ENERGY, width=2.2, frames=FRAMES)
    return frames_from_map(
        bright(c), stack=stack(4.08), angles=angles, detector=DETECTOR, instrument=INSTRUMENT,
        peak_counts=1e3, seed=seed,
    )  # fmt: skip


def write(path: Path, *, c: float = 4.08, temperature: float | None = None, first: int = FRAMES) -> Path:
    """A NeXus file of the first frames of the scan."""
    write_frames(path, frames(c), name="film", temperature=temperature)
    if first < FRAMES:
        with h5py.File(path, "r+") as file:
            _cut(file, first)
    return path


def _cut(file: h5py.File, first: int) -> None:
    """Leave the first frames of everything that has one entry a frame."""
    every: list[str] = []
    file.visititems(
        lambda name, node: (
            every.append(name) if isinstance(node, h5py.Dataset) and node.shape[:1] == (FRAMES,) else None
        )
    )
    for name in every:
        values, attrs = file[name][:first], dict(file[name].attrs)
        del file[name]
        file[name] = values
        file[name].attrs.update(attrs)
