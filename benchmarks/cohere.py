"""The peer of the crystal bench: cohere-core on numpy with the same schedule.

Argonne's package; `make bench-crystal` installs version 4.5.4 beside the environment that is tested. It fits every voxel and
knows no mask, so that blanked voxels are zeros to it. Only this file knows its interface.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

SEQUENCE = "4*(90*HIO+10*ER)+20*ER"  # 420 iterations, as LEGS of crystal.py


@dataclass(frozen=True)
class CohereRun:
    """Object (n, n, n) of one start, seconds of its iterations, and how many they were."""

    object: np.ndarray
    seconds: float
    iterations: int


def at_hand() -> bool:
    """Whether cohere-core is installed."""
    return find_spec("cohere_core") is not None


def cohere_run(amplitude: np.ndarray, *, seed: int, beta: float, threshold: float, every: int) -> CohereRun:
    """One start from random phases; amplitude (n, n, n) with the peak in the middle."""
    from cohere_core.controller import phasing

    settings = {
        "algorithm_sequence": SEQUENCE,
        "hio_beta": beta,
        "shrink_wrap_trigger": [every, every],
        "shrink_wrap_type": "GAUSS",
        "shrink_wrap_threshold": threshold,
        "shrink_wrap_gauss_sigma": 1.0,
        "initial_support_area": (0.5, 0.5, 0.5),
    }
    np.random.seed(seed)  # noqa: NPY002  the peer draws from numpy's global state
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        file = Path(folder) / "data.npy"
        np.save(file, amplitude.astype(np.float32))
        run = phasing.create_rec(settings, str(file), "np", -1, debug=True)
        begun = time.perf_counter()
        run.iterate()
        taken = time.perf_counter() - begun
    # its transform to reciprocal space is the inverse one: the conjugate has the same magnitudes by ours
    return CohereRun(np.fft.ifftshift(np.conj(run.get_image())), taken, len(run.errs))
