"""Does the learned start of a crystal help? One of it against flat phases and the best of ten random starts.

Gold (dataset gold64): chi2 and free chi2 of the guess before any refinement, then after 100 and 200 iterations (learned_rows.run
says of what), with the blur of the beam fitted by the gradients; also from the published prediction of 3D-CDI-NN.
Held-out simulated particles (40^3, sampling 2.1 to 3.5 along each axis, of seeds that no training uses; every shape and strain
of simulate/particles.py), coherent beam: success is a correlation of at least 0.9 with the truth up to shift, constant phase and
twin. Of several random starts the one of the lowest free chi2 is taken, as in a run; the long ones have `--longer` times the
iterations of all others; plain ones (HIO, ER and shrink-wrap alone, from a box of twice the crystal) know neither of the halved
autocorrelation nor of the even modulus. Flat phases (all zero) tell what of a success is the support's and the amplitudes' and
not the network's.

Run: .venv/bin/python benchmarks/learned.py [--folder DIR: kept, and gone on with] [--particles 60] [--randoms 10]
     [--iterations 100] [--weights FILE] [--part 1/2: every second row only, for two processes of one folder] [--no-gold]
     [--only-randoms: what needs no network, before there are weights] [--longer 10: 1 leaves the long random starts out]
     [--ranges 1,3,5: in pi] [--counts 1e4,1e6]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from crystal import chi2, gold
from learned_rows import Flat, Kind, Line, Rows, guess_of, run
from nanotexture.data import locate
from nanotexture.phasing.crystal_alignment import centred_on_mass
from nanotexture.phasing.crystal_pattern import Pattern
from nanotexture.phasing.driver import ShrinkWrap
from nanotexture.priors.guess import Guess
from nanotexture.priors.weights import Prior

RANGES, COUNTS = (1.0, 3.0, 5.0), (1e4, 1e6)
ALIKE = 0.9
HEAD = (
    f"{'range, counts, strain':<26}{'n':>4}{'trusted':>8}{'learned':>8}{'flat':>6}{'a random':>9}{'best':>6}{'a plain':>8}"
    f"{'best':>6}{'a long':>8}{'best':>6}{'only learned':>14}{'only best long':>15}{'free chi2: learned, best, best long':>38}"
)


def on_gold(prior: Prior, randoms: int) -> Iterator[str]:
    """A line for each beginning."""
    pattern = gold()
    learned = guess_of(prior.network, pattern)
    begins: list[tuple[str, Guess | int]] = [
        ("learned", learned),
        ("flat", guess_of(Flat(), pattern)),
        ("3D-CDI-NN", published(pattern)),
        *((f"random {k}", k) for k in range(randoms)),
    ]
    for name, begin in begins:
        raw = chi2(pattern, begin.object) if isinstance(begin, Guess) else None
        parts = [f"gold64 {name:<10}", "" if raw is None else f"guess {raw[0]:.4f} ({raw[1]:.4f})"]
        for iterations in (100, 200):
            found = run(pattern, iterations, begin, blurred=True)
            parts.append(f"{iterations}: {found.chi2:.2e} ({found.free_chi2:.2e})")
        yield "  ".join(parts)
    limits = prior.trust.limits(float(pattern.counts.max()))
    yield (
        f"gold64 even modulus, network's view: {learned.chi2:.4f}, free {learned.free_chi2:.4f} (limit {limits.free_chi2:.3f}, "
        f"sure {limits.sure:.3f}), spread {learned.spread:.3f} (limit {limits.spread:.3f})"
    )


def published(pattern: Pattern) -> Guess:
    """The stored prediction of 3D-CDI-NN for this crystal, moved to the middle, with shrink-wrap's support."""
    (file,) = locate("gold64", "ad_input_64.npy")
    placed = centred_on_mass(np.load(file, allow_pickle=False).astype(np.complex64))
    everywhere = np.ones(placed.shape, dtype=bool)
    support = ShrinkWrap(threshold=0.1).shrink(placed, within=everywhere, sigma=1.0)
    return Guess(placed, support, *chi2(pattern, placed), spread=0.0)


def table(rows: Rows, kind: Kind, particles: int) -> Iterator[str]:
    """Smooth particles, those with a defect, and all of a row; then its times."""
    lines = list(rows.lines(kind, particles))
    smooth = [line for line in lines if line["strain"] == "smooth"]
    broken = [line for line in lines if line["strain"] != "smooth"]
    where = f"{kind.span:g} pi, {kind.counts:.0e}"
    for name, part in (("smooth", smooth), ("defect", broken), ("all", lines)):
        if part:
            yield counted(f"{where}, {name}", part)
    yield times(lines)


def counted(name: str, lines: Sequence[Line]) -> str:
    """Successes and median free chi2."""
    learned, flat = (sum(won(line[k]) for line in lines) for k in ("learned", "flat"))
    kinds = ("random", "plain", "long")
    single = [np.mean([won(one) for line in lines for one in line[kind]]) for kind in kinds]
    best = [[least(line[kind]) for line in lines] for kind in kinds]
    both = "".join(
        f"{s:>{w}.2f}{sum(map(won, b)):>6}" for s, b, w in zip(single, best, (9, 8, 8), strict=True)
    )
    pairs = [(won(line["learned"]), won(one)) for line, one in zip(lines, best[-1], strict=True)]
    ends = ([line["learned"] for line in lines], best[0], best[-1])
    free = "  ".join(f"{np.median([one['free'] for one in told]):.1e}" for told in ends)
    trusted = sum(line["guess"]["trusted"] for line in lines)
    return (
        f"{name:<26}{len(lines):>4}{trusted:>8}{learned:>8}{flat:>6}{both}"
        f"{pairs.count((True, False)):>14}{pairs.count((False, True)):>15}{free:>38}"
    )


def won(end: Line) -> bool:
    return bool(end["alike"] >= ALIKE)


def least(ends: Sequence[Line]) -> Line:
    """The one of the lowest free chi2: what a run would take."""
    return min(ends, key=lambda end: end["free"] if np.isfinite(end["free"]) else np.inf)


def times(lines: Sequence[Line]) -> str:
    """Mean processor seconds of one particle."""
    guess, learned = (np.mean([line[k]["seconds"] for line in lines]) for k in ("guess", "learned"))
    random, long = (
        np.mean([sum(e["seconds"] for e in line[k]) for line in lines]) for k in ("random", "long")
    )
    return (
        f"    processor seconds a particle: guess {guess:.2f}, refined {learned:.2f}; all random {random:.2f}, "
        f"all long {long:.2f}"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", help="a file of lines for each row; temporary if absent")
    parser.add_argument("--particles", type=int, default=60)
    parser.add_argument("--randoms", type=int, default=10)
    parser.add_argument("--iterations", type=int, default=100, help="at least 20")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--no-gold", action="store_true")
    parser.add_argument("--only-randoms", action="store_true", help="compute and keep what needs no network")
    parser.add_argument("--longer", type=int, default=10)
    parser.add_argument("--ranges", default=",".join(f"{v:g}" for v in RANGES))
    parser.add_argument("--counts", default=",".join(f"{v:g}" for v in COUNTS))
    found = parser.parse_args()
    if found.iterations < 20:
        parser.error(f"--iterations: expected at least 20, found {found.iterations}")
    return found


def main() -> None:
    asked = arguments()
    torch.set_num_threads(1)
    part, parts = map(int, asked.part.split("/"))
    ranges, counts = ([float(v) for v in told.split(",")] for told in (asked.ranges, asked.counts))
    kinds = [Kind(s, c, asked.iterations, asked.randoms, asked.longer) for s in ranges for c in counts]
    with tempfile.TemporaryDirectory() as temporary:
        rows = Rows(Path(asked.folder or temporary), asked.weights or locate("crystal_prior")[0])
        if asked.only_randoms:
            for kind in kinds[part - 1 :: parts]:
                list(rows.randoms(kind, asked.particles))
            return
        if part == 1 and not asked.no_gold:
            show(on_gold(rows.prior, 3))
        show([HEAD])
        for kind in kinds[part - 1 :: parts]:
            show(table(rows, kind, asked.particles))


def show(lines: Iterator[str] | Sequence[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
