"""Time of one HIO iteration against two bare transforms of the same array; the target is a ratio of 1.3.

Run: .venv/bin/python benchmarks/phasing.py [repeats]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from nanotexture.phasing.constraints import Data, Support
from nanotexture.phasing.farfield import from_corner, to_corner
from nanotexture.phasing.solvers import HIO, step

SHAPES = [(512, 256), (256, 100), (64, 64, 64), (128, 128, 128)]
TARGET = 1.3


def problem(shape: tuple[int, ...]) -> tuple[np.ndarray, Data, Support]:
    """A random object that fills half of each axis, with 2 % of the voxels not measured; complex64."""
    rng = np.random.default_rng(0)
    mask = np.zeros(shape, bool)
    mask[tuple(slice(n // 4, n // 4 + n // 2) for n in shape)] = True
    amplitude = rng.random(shape, dtype=np.float32) + 0.5
    start = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)
    return start, Data.centred(amplitude, rng.random(shape) > 0.02), Support(mask)


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(shape: tuple[int, ...], repeats: int) -> tuple[float, float]:
    """Median seconds of (two transforms, one iteration), measured in turn on the same machine."""
    x, data, support = problem(shape)
    solver, bare, full = HIO(0.9), [], []

    def transforms() -> None:
        to_corner(from_corner(x))

    def iterate() -> None:
        nonlocal x
        x = step(solver, x=x, p=data.project(x), known=support)

    iterate()  # compiles on first use
    for _ in range(repeats):
        bare.append(seconds(transforms))
        full.append(seconds(iterate))
    return statistics.median(bare), statistics.median(full)


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    lines = [f"{'array':>16} {'2 FFT / ms':>11} {'HIO / ms':>9} {'ratio':>6}   target {TARGET}"]
    for shape in SHAPES:
        bare, full = measure(shape, repeats)
        name = " x ".join(str(n) for n in shape)
        lines.append(f"{name:>16} {bare * 1e3:11.3f} {full * 1e3:9.3f} {full / bare:6.2f}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
