"""Measured crystals: chi2 against iterations and time, beside plain HIO/ER in numpy and cohere-core.

gold64: two methods from the same random phases: a textbook HIO/ER with shrink-wrap in plain numpy (complex128) and the
package's whole start (partly coherent beam, gradients, hops); beside them
cohere-core, where it is installed, from random phases of its own, coherent. chi2 over the fitted voxels; free chi2 over
blocks of 3^3 held out, which cohere-core, knowing no mask, is given too.

staff54: 128^3 voxels of its frames about the peak, not orthogonalised, over the white field, the beam taken for coherent, as in
the run that its documentation reports: chi2 0.0123 after 620 iterations in 106 s on one core.

Run: .venv/bin/python benchmarks/crystal.py [starts]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import scipy.fft
import torch
from cohere import at_hand, cohere_run
from nanotexture.data import locate
from nanotexture.phasing.constraints import Support, chi2_of_magnitudes
from nanotexture.phasing.crystal import CrystalSettings, hopped, projected, refined
from nanotexture.phasing.crystal_pattern import Pattern, hold_out_blocks, pattern_of
from nanotexture.phasing.driver import random_start
from nanotexture.phasing.farfield import from_corner, to_corner
from nanotexture.phasing.solvers import ER, HIO, step
from nanotexture.preparation.crystal import counts_of_amplitude, not_measured
from nanotexture.readers import read_frames
from scipy.ndimage import gaussian_filter

BETA, EVERY, THRESHOLD = 0.9, 10, 0.1
LEGS = ((HIO(BETA), 90), (ER(), 10)) * 4 + ((ER(), 20),)
LOOKS = (100, 200, 300, 400, 420)


def gold() -> Pattern:
    """The pattern as the recipe prepares it."""
    (file,) = locate("gold64", "ft_crop_64.npy")
    counts = counts_of_amplitude(np.load(file, allow_pickle=False), None)
    measured = ~not_measured(counts, "blank")
    held = hold_out_blocks(counts=counts, measured=measured, seed=0)
    return pattern_of(counts=counts, measured=measured, held=held)


def staff(size: int = 128) -> Pattern:
    """The middle of the frames of dataset staff54_34idc as they were recorded, nothing held out."""
    scan = read_frames(locate("staff54_34idc")[0], 54)
    frames = scan.pixels.read(0, scan.pixels.shape[0])
    peak = np.unravel_index(frames.argmax(), frames.shape)
    first = [min(max(int(p) - size // 2, 0), n - size) for p, n in zip(peak, frames.shape, strict=True)]
    part = tuple(slice(f, f + size) for f in first)
    measured = np.broadcast_to(scan.header["mask"].values[part[1:]] == 0, (size,) * 3).copy()
    counts = np.where(measured, frames[part] / scan.header["response"].values[part[1:]], 0.0)
    return pattern_of(counts=counts, measured=measured, held=np.zeros_like(measured))


def of_staff(pattern: Pattern) -> Iterator[str]:
    """A line for each number of projections, and one of the peer."""
    # the beam is not coherent, so that the modulus found as if it were is not even: shrink-wrap alone, smooth and loose
    coherent = CrystalSettings(
        coherence=False, even=0, cycles=1, first="box", threshold=0.05, sigma=2.0, sigma_end=1.0
    )
    for projections in (120, 420):
        settings = replace(coherent, iterations=projections - coherent.er)
        begin = time.perf_counter()
        found = projected(pattern, settings=settings, seed=0, start=0).found
        yield f"{projections} projections here: {found.errors[-1]:.2e} in {time.perf_counter() - begin:.1f} s"
    yield f"cohere-core: {peer(pattern, 0) if at_hand() else 'not installed'}"


def chi2(pattern: Pattern, w: np.ndarray) -> tuple[float, float]:
    """chi2 and free chi2 of an object, coherent beam."""
    m, a = np.abs(scipy.fft.fftn(w, norm="ortho")), np.sqrt(pattern.counts)
    scale = float(np.sum((m * a)[pattern.work]) / np.sum((m * m)[pattern.work]))
    parts = (pattern.work, pattern.held)
    work, free = (chi2_of_magnitudes(magnitude=m, amplitude=a, weight=one, scale=scale) for one in parts)
    return work, free


def textbook(pattern: Pattern, start: int) -> list[tuple[float, float]]:
    """Fienup's HIO and ER with shrink-wrap, as one would write them down; chi2 and free chi2 at the looks."""
    a, box = np.sqrt(pattern.counts), pattern.box
    x, support = random_start(pattern.data, seed=0, start=start).astype(complex), box
    total, done, found = sum(n for _, n in LEGS), 0, []
    for solver, number in LEGS:
        for _ in range(number):
            spectrum = np.fft.fftn(x, norm="ortho")
            phases = np.exp(1j * np.angle(spectrum))
            p = np.fft.ifftn(np.where(pattern.work, a * phases, spectrum), norm="ortho")
            x = np.where(support, p, x - BETA * p if isinstance(solver, HIO) else 0)
            done += 1
            if done % EVERY == 0 and done < total - 20:
                smooth = gaussian_filter(np.abs(p), 2.0 - done / total, mode="wrap")
                support = box & (smooth > THRESHOLD * smooth.max())
            if done in LOOKS:
                found.append(chi2(pattern, np.where(support, p, 0)))
    return found


def milliseconds(work: Callable[[], object], number: int) -> list[float]:
    """Of each of several calls, one after the other, as the iterations of a run are."""
    taken = []
    for _ in range(number):
        begin = time.perf_counter()
        work()
        taken.append(1e3 * (time.perf_counter() - begin))
    return taken


def per_iteration(pattern: Pattern, rounds: int = 8, number: int = 20) -> tuple[float, float, float]:
    """Median ms of (two bare transforms, one HIO of the package, one HIO in plain numpy), `number` of each in turn."""
    data, support = pattern.data, Support(pattern.box)
    x = random_start(data, seed=0, start=0)
    y, a = x.astype(complex), np.sqrt(pattern.counts)

    def transforms() -> None:
        to_corner(from_corner(x))

    def ours() -> None:
        nonlocal x
        x = step(HIO(BETA), x=x, p=data.project(x), known=support)

    def plain() -> None:
        nonlocal y
        spectrum = np.fft.fftn(y)
        p = np.fft.ifftn(np.where(pattern.work, a * np.exp(1j * np.angle(spectrum)), spectrum))
        y = np.where(support.mask, p, y - BETA * p)

    ours()  # compiles on first use
    kinds = (transforms, ours, plain)
    taken = [[milliseconds(one, number) for one in kinds] for _ in range(rounds)]
    bare, mine, theirs = (float(np.median(column)) for column in zip(*taken, strict=True))
    return bare, mine, theirs


def peer(pattern: Pattern, start: int) -> str:
    """The same schedule by cohere-core on numpy: chi2 over the fitted voxels, and over those held out here."""
    amplitude = np.fft.fftshift(np.sqrt(np.where(pattern.work | pattern.held, pattern.counts, 0.0)))
    run = cohere_run(amplitude, seed=start, beta=BETA, threshold=THRESHOLD, every=EVERY)
    work, held = chi2(pattern, run.object)
    each = 1e3 * run.seconds / run.iterations
    kept = f" (held {held:.2e}, not free: fitted)" if pattern.held.any() else ""
    return f"{run.iterations} iterations {work:.2e}{kept}, {run.seconds:.1f} s, {each:.1f} ms each"


def whole(pattern: Pattern, settings: CrystalSettings, start: int) -> str:
    """chi2 after the projections, the gradients and the hops of one start, and the seconds of each."""
    begin = time.perf_counter()
    first = projected(pattern, settings=settings, seed=0, start=start)
    after = time.perf_counter()
    second = refined(pattern, first, settings=settings)
    refined_at = time.perf_counter()
    last = hopped(pattern, second, settings=settings)
    ends = time.perf_counter()
    parts = (
        f"{settings.projections} projections {first.found.errors[-1]:.2e} ({after - begin:.1f} s)",
        f"gradients {second.chi2:.2e} free {second.free_chi2:.2e} ({refined_at - after:.1f} s)",
        f"hops {last.chi2:.2e} free {last.free_chi2:.2e} ({ends - refined_at:.1f} s)",
    )
    return "  ".join(parts)


def main() -> None:
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    torch.set_num_threads(1)
    pattern = gold()
    say = sys.stdout.write
    bare, mine, theirs = per_iteration(pattern)
    say(
        f"ms per iteration at 64^3: two transforms {bare:.2f}, HIO here {mine:.2f} (target 3), plain numpy {theirs:.2f}\n"
    )
    for start in range(starts):
        looks = textbook(pattern, start)
        told = "  ".join(
            f"{n}: {work:.2e} ({free:.2e})" for n, (work, free) in zip(LOOKS, looks, strict=True)
        )
        say(f"start {start} textbook, chi2 (free) at iteration  {told}\n")
        say(f"start {start} cohere-core:  {peer(pattern, start) if at_hand() else 'not installed'}\n")
        for name, coherence in (("coherent", False), ("partly coherent", True)):
            settings = replace(CrystalSettings(threshold=THRESHOLD), coherence=coherence)
            say(f"start {start} {name:>15}:  {whole(pattern, settings, start)}\n")
            sys.stdout.flush()
    for line in of_staff(staff()):
        say(f"staff54 {line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
