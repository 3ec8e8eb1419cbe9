"""What a beam and a detector make of a pattern, drawn anew each time a network sees it: turned, blurred, counted, with gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from nanotexture.priors.turns import TURNED


@dataclass(frozen=True)
class Detector:
    """What is drawn: decades of the counts in the brightest voxel; shares of the patterns with a background and with gaps.

    coherence: largest width in voxels, along each axis, of the blur of a partly coherent beam, which half of the patterns have;
    it comes on top of what is in the examples already.
    """

    decades: tuple[float, float] = (3.0, 7.0)
    background: float = 0.5
    gaps: float = 0.4
    coherence: float = 0.0


@dataclass(frozen=True)
class Batch:
    """counts, measured (bool), phase in rad and weight, all (b, n, n, n); counts are zero where not measured."""

    counts: torch.Tensor
    measured: torch.Tensor
    phase: torch.Tensor
    weight: torch.Tensor


def seen(
    intensity: torch.Tensor,
    phase: torch.Tensor,
    *,
    detector: Detector,
    rng: torch.Generator,
    turn: bool = True,
) -> Batch:
    """Counts of intensities (b, n, n, n) of peak 1; turn: also along other axes, mirrored, as another crystal would lie."""
    if turn:
        one = TURNED[int(torch.randint(len(TURNED), (1,), generator=rng))]
        intensity, phase = one.there(intensity), one.there(phase)
    b = len(intensity)
    if detector.coherence > 0.0:
        intensity = _blurred(intensity, detector.coherence, rng)
    low, high = detector.decades
    peak = 10.0 ** (low + (high - low) * torch.rand(b, generator=rng))
    faint = 10.0 ** (-3.0 + 2.5 * torch.rand(b, generator=rng))
    faint = faint * (torch.rand(b, generator=rng) < detector.background)
    expected = intensity * peak.reshape(b, 1, 1, 1)
    counts = torch.poisson(expected + faint.reshape(b, 1, 1, 1), generator=rng)
    measured = torch.stack([_measured(intensity.shape[-1], detector, rng) for _ in range(b)])
    # the expected amplitude, less where there is hardly a count: every shell of q then weighs about the same, while the log of
    # the counts gives nearly all weight to the faint outer voxels; of expected counts, so that a gap is asked for as well
    return Batch(counts * measured, measured, phase, expected / torch.sqrt(1.0 + expected))


def _blurred(intensity: torch.Tensor, widest: float, rng: torch.Generator) -> torch.Tensor:
    """Half of the intensities blurred by Gaussians of their own widths; the peak of each is 1 again."""
    b, axes = len(intensity), (1, 2, 3)
    widths = widest * torch.rand(b, 3, generator=rng) * (torch.rand(b, 1, generator=rng) < 0.5)
    spectrum = torch.fft.fftn(intensity, dim=axes)
    frequency = 2.0 * math.pi * torch.fft.fftfreq(intensity.shape[-1])
    for axis in axes:
        falls = torch.exp(-0.5 * (widths[:, axis - 1, None] * frequency).square())
        spectrum = spectrum * falls.reshape([b, *(-1 if axis == k else 1 for k in axes)])
    found = torch.fft.ifftn(spectrum, dim=axes).real.clamp_min(0.0)
    return found / found.amax(dim=axes, keepdim=True)


def _measured(n: int, detector: Detector, rng: torch.Generator) -> torch.Tensor:
    """False on a gap of one or two voxels across the array, or in a blanked corner, away from the peak."""
    found = torch.ones(n, n, n, dtype=torch.bool)
    if torch.rand(1, generator=rng) >= detector.gaps:
        return found
    axis, width = (int(torch.randint(k, (1,), generator=rng)) for k in (3, 2))
    if torch.rand(1, generator=rng) < 0.5:
        place = int(torch.randint(n // 2 - 4, (1,), generator=rng))
        first = place if torch.rand(1, generator=rng) < 0.5 else n - 2 - place
        found.narrow(axis, first, 1 + width).fill_(False)
        return found
    edges = [int(torch.randint(2, n // 3, (1,), generator=rng)) for _ in range(3)]
    corner = tuple(slice(0, e) if torch.rand(1, generator=rng) < 0.5 else slice(n - e, n) for e in edges)
    found[corner] = False
    return found
