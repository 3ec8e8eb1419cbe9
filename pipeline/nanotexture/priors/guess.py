"""From a measured pattern to a guessed crystal: phases by the network, support by a threshold.

The network sees 32^3 voxels about the centroid of the intensity, every f-th of them where the pattern is sampled finer than it
learnt, zeros marked as not measured where there are fewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
import torch
from scipy.ndimage import gaussian_filter

from nanotexture.phasing.constraints import Mask, Real, chi2_and_free
from nanotexture.phasing.crystal_pattern import Pattern, filled_from_neighbours, sampling_ratios
from nanotexture.phasing.crystal_shape import shape_of
from nanotexture.phasing.farfield import Complex, forward, inverse
from nanotexture.priors.loss import phase_loss
from nanotexture.priors.networks import FURTHER, GRID, features
from nanotexture.priors.turns import TURNED, Turn

FINEST = 2.5  # least sampling that is left when voxels are skipped
BLUR, THRESHOLD = 0.7, 0.2  # of the support: voxels of the small grid, share of the largest modulus
SIDE = 0.65  # of its extent: as far as a crystal lies to one side of its centroid
TURNS, BEST = (
    12,
    3,
)  # ways in which the pattern is shown, and how many of the answers go on to the further rounds
BRIGHT = 1e-3  # of the brightest voxel: what the centroid is taken of


@dataclass(frozen=True)
class Guess:
    """A guessed crystal.

    object: complex64 (n1, n2, n3), sqrt(count), in the solvers' order (middle at n // 2); support: bool, same shape; chi2,
    free_chi2: over fitted and held-out voxels of the part that the network saw.
    """

    object: Complex
    support: Mask
    chi2: float
    free_chi2: float
    spread: float


@dataclass(frozen=True)
class _View:
    """What the network sees of an array: every stride-th voxel from `shift` off the middle."""

    shape: tuple[int, ...]
    shift: tuple[int, ...]
    stride: tuple[int, ...]

    def indices(self) -> list[np.ndarray]:
        about = np.arange(GRID) - GRID // 2
        rows = zip(self.shape, self.shift, self.stride, strict=True)
        return [n // 2 + s + about * f for n, s, f in rows]

    def taken(self, array: np.ndarray) -> np.ndarray:
        """(GRID, GRID, GRID) of an array, zero (False) beyond its edges."""
        found = np.zeros((GRID,) * 3, dtype=array.dtype)
        inside = [(i >= 0) & (i < n) for i, n in zip(self.indices(), self.shape, strict=True)]
        rows = [i[k] for i, k in zip(self.indices(), inside, strict=True)]
        found[np.ix_(*inside)] = array[np.ix_(*rows)]
        return found


def guessed(network: torch.nn.Module, pattern: Pattern, turns: int = TURNS) -> Guess:
    """What the network makes of a pattern; held-out voxels are hidden from it.

    The network is asked `turns` times, each time with other axes exchanged and mirrored. Its first rounds answer all of them: how
    far the others are from the one that fits the voxels shown best is the spread. The BEST of them have the further rounds too,
    and of all answers the one that fits best is taken.
    """
    counts, work, held = (scipy.fft.fftshift(a) for a in (pattern.counts, pattern.work, pattern.held))
    view = _view(counts, work, pattern)
    seen, known, kept = view.taken(counts), view.taken(work), view.taken(held)
    amplitude, reach = _amplitude(seen, known), _reach(pattern, view)
    parts = _Parts(np.sqrt(seen), known, kept)
    asked = TURNED[:turns]
    phases = predicted_phases(network, seen, known, asked, further=0)
    tried = [_tried(amplitude, one, reach, parts) for one in phases]
    order = np.argsort([one.chi2 for one in tried], kind="stable")
    spread = _spread(phases, int(order[0]), np.where(known, amplitude, 0.0))
    later = predicted_phases(network, seen, known, tuple(asked[k] for k in order[:BEST]), further=FURTHER)
    best = min([*tried, *(_tried(amplitude, one, reach, parts) for one in later)], key=lambda one: one.chi2)
    return Guess(
        _whole(np.where(best.support, best.object, 0.0), view),
        _whole_support(best.support, view),
        best.chi2,
        best.free_chi2,
        spread,
    )


@dataclass(frozen=True)
class _Parts:
    """Amplitudes, and which of them are fitted and which held out (GRID, GRID, GRID)."""

    amplitude: Real
    work: Mask
    held: Mask


def _tried(amplitude: Real, phase: Real, reach: Mask, data: _Parts) -> Guess:
    """Object and support on the small grid of predicted phases, and how well its shape with an even modulus fits."""
    small = inverse(amplitude * np.exp(1j * phase))
    smooth = gaussian_filter(np.abs(small), BLUR, mode="wrap") * reach
    support = smooth > THRESHOLD * smooth.max()
    even = np.where(shape_of(np.abs(small), support), np.exp(1j * np.angle(small)), 0.0)
    chi2, free = chi2_and_free(
        magnitude=np.abs(forward(even)), amplitude=data.amplitude, work=data.work, held=data.held
    )
    return Guess(small, support, chi2, free, 0.0)


def _spread(phases: Real, best: int, weight: Real) -> float:
    """Median distance (loss.phase_loss) of the other predictions from the best one; 0 where there is none."""
    others = torch.from_numpy(np.delete(phases, best, axis=0)).float()
    if not len(others):
        return 0.0
    phasors = torch.stack([torch.cos(others), torch.sin(others)], dim=1)
    one, weights = (torch.from_numpy(a).float().expand_as(others) for a in (phases[best], weight))
    return float(phase_loss(phasors, one, weights).median())


def predicted_phases(
    network: torch.nn.Module, counts: Real, measured: Mask, turns: tuple[Turn, ...], *, further: int
) -> Real:
    """Phases in rad (turns, n, n, n) of centred counts, n = GRID, each from the pattern turned so, after these further rounds."""
    given = features(torch.from_numpy(counts[None].astype(np.float32)), torch.from_numpy(measured[None]))
    with torch.no_grad():
        phasors = network(torch.cat([turn.there(given) for turn in turns]), further=further)
    u, v = np.stack([turn.back(one).numpy() for turn, one in zip(turns, phasors, strict=True)], axis=1)
    return np.arctan2(v, u)


def _reach(pattern: Pattern, view: _View) -> Mask:
    """Where on the small grid a crystal about its centroid can be: the first support is a box of twice its size.

    Without it phases of no sense would spread their object over the whole array, and fit nearly any pattern.
    """
    found = np.ones((GRID,) * 3, dtype=bool)
    for axis, (n, f) in enumerate(zip(view.shape, view.stride, strict=True)):
        half = 0.5 * np.count_nonzero(pattern.box.any(axis=tuple(a for a in range(3) if a != axis)))
        near = np.abs(np.arange(GRID) - GRID // 2) <= np.ceil(SIDE * half * GRID * f / n)
        found &= near.reshape([-1 if a == axis else 1 for a in range(3)])
    return found


def _view(counts: Real, work: Mask, pattern: Pattern) -> _View:
    bright = np.where(work & (counts > BRIGHT * counts.max()), counts, 0.0)
    shift = []
    for axis, n in enumerate(counts.shape):
        profile = bright.sum(axis=tuple(a for a in range(3) if a != axis))
        shift.append(round(float(profile @ (np.arange(n) - n // 2)) / float(profile.sum())))
    ratios = sampling_ratios(counts=counts, measured=work)
    return _View(counts.shape, tuple(shift), tuple(max(1, int(r / FINEST)) for r in ratios))


def _amplitude(counts: Real, measured: Mask) -> Real:
    """Square roots of the counts, from their neighbours where there are none."""
    return filled_from_neighbours(np.sqrt(counts), measured, sigma=1.0, least=1e-2)


def _whole(small: Complex, view: _View) -> Complex:
    """The object on the pattern's own grid: its array enlarged by the stride, its spectrum laid about the peak."""
    sizes = [GRID * f for f in view.stride]
    enlarged = _centred(small, sizes)
    spectrum = forward(enlarged) * np.sqrt(np.prod(view.stride))
    laid = _centred(spectrum, list(view.shape))
    found = inverse(np.roll(laid, view.shift, (0, 1, 2)))
    return np.asarray(found, dtype=np.complex64)


def _centred(array: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Array cut or padded with zeros to these sizes, its middle n // 2 kept."""
    for axis, size in enumerate(sizes):
        n = array.shape[axis]
        first = size // 2 - n // 2
        if first >= 0:
            pad = [(0, 0)] * array.ndim
            pad[axis] = (first, size - n - first)
            array = np.pad(array, pad)
        else:
            array = array.take(range(-first, -first + size), axis)
    return array


def _whole_support(support: Mask, view: _View) -> Mask:
    """The support on the pattern's own grid, a voxel of the small grid wider."""
    rows = []
    for n, f in zip(view.shape, view.stride, strict=True):
        at = np.rint((np.arange(n) - n // 2) * (GRID * f / n)).astype(int) + GRID // 2
        rows.append(at)
    wider = gaussian_filter(support.astype(float), 0.8, mode="constant") > 0.1
    inside = [(r >= 0) & (r < GRID) for r in rows]
    found = np.zeros(view.shape, dtype=bool)
    found[np.ix_(*inside)] = wider[np.ix_(*(r[k] for r, k in zip(rows, inside, strict=True)))]
    return found
