"""Frames of an area detector to a grid: pixels per second and peak memory beside xrayutilities, in the same run.

200 frames of 512 x 512 pixels of a rocking scan, to 128^3 and 256^3 voxels. xrayutilities: Ang2Q.area and Gridder3D, all frames
at once, and 20 at a time. Ours: with variance and weights, 20 frames at a time. Each job is a process of its own that works
twice; jobs take turns, and the best of all rounds is told, without reading the file. Two workers have half of the frames and a
grid of their own each; adding the two grids of threads is told apart. Where others use the machine, seconds of the processor
say more than those of the clock: two workers over one is told by both.

Run: .venv/bin/python benchmarks/convert.py [rounds]
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

FRAMES, SIDE, BLOCK, ENERGY, TARGET = 200, 512, 20, 10.0, 5.0
THETA = float(np.degrees(np.arcsin(np.pi / 2 / (2 * np.pi * ENERGY / 12.398419843320026))))
ETA = THETA + np.linspace(-1.0, 1.0, FRAMES)
CENTRE, PIXEL, DISTANCE = (256.0, 255.7), 0.055, 770.0
PIXELS = FRAMES * SIDE * SIDE
READ = 2 + 3 * 8 + 8  # bytes that the kernel reads of each pixel: count, direction, weight


def blocks(file: Path, start: int, stop: int, step: int = BLOCK) -> Iterator[tuple[int, np.ndarray]]:
    """First frame and counts of each block, read and not mapped: mapped pages would count as memory."""
    for first in range(start, stop, step):
        number = min(step, stop - first)
        counts = np.fromfile(file, np.uint16, number * SIDE * SIDE, offset=2 * first * SIDE * SIDE)
        yield first, counts.reshape(number, SIDE, SIDE)


class Watch:
    """Seconds of the clock and of this thread's processor within its blocks, added up."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    def __enter__(self) -> None:
        self._begun = time.perf_counter(), time.thread_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._begun[0]
        self.cpu += time.thread_time() - self._begun[1]

    @property
    def read(self) -> dict[str, float]:
        return {"seconds": self.seconds, "cpu": self.cpu}


def least(found: list[dict[str, float]]) -> dict[str, float]:
    """Smallest of each quantity."""
    return {name: min(one[name] for one in found) for name in found[0]}


def together(parts: list[dict[str, float]]) -> dict[str, float]:
    """Two workers at once: the clock of the slower, the processor and memory of both."""
    return {
        n: max(one[n] for one in parts) if n == "seconds" else sum(one[n] for one in parts) for n in parts[0]
    }


class Ours:
    """The scan placed, and a grid of so many voxels a side between the outermost pixels."""

    def __init__(self, voxels: int) -> None:
        from nanotexture.geometry import Circle, Goniometer, Panel, place
        from nanotexture.geometry.fuzzy import Axis
        from nanotexture.gridding import Correction, Grid, choose_grid, extent, worth_of_frames
        from nanotexture.quantities import Frames
        from nanotexture.schema import FRAMES as SCHEMA
        from nanotexture.schema import labelled

        values = {"circle": np.array(["eta", "delta"], dtype=object)}
        values |= {"position": np.stack([ETA, np.full(FRAMES, 2 * THETA)]), "attenuation": np.ones(FRAMES)}
        values |= {name: np.full(FRAMES, 1e6) for name in ("monitor", "seconds")}
        values |= {"mask": np.zeros((SIDE, SIDE), np.uint8), "saturation": 60000.0, "energy": ENERGY}
        values |= {"temperature": np.nan, "distance": DISTANCE, "ub": np.eye(3)}
        values |= {"pixel_size": np.full(2, PIXEL), "direct_beam": np.array(CENTRE)}
        header = Frames(labelled(values, SCHEMA, {"file": "benchmark"}))
        circles = (Circle("eta", "z-"),), (Circle("delta", "z-"),)
        goniometer = Goniometer("two", *circles, "y+", Panel("x-", "z-"))
        self.placement = place(header, goniometer, (0, 1, 0), (1, 0, 0))
        self.worth = worth_of_frames(header, self.placement, [Correction.MONITOR, Correction.SOLID_ANGLE])
        self.limits = extent(self.placement)
        axes = [Axis(low, (high - low) / (voxels - 1), voxels) for low, high in self.limits.tolist()]
        self.grid = Grid((axes[0], axes[1], axes[2]), choose_grid([self.placement]).order)

    def sums(self, file: Path, start: int = 0, stop: int = FRAMES):
        """Sums of some frames and the seconds they took, memory of the grid included."""
        from nanotexture.gridding import FrameSums, add_frames, worth_of_block

        watch = Watch()
        with watch:
            sums = FrameSums.empty(self.grid)
        for first, counts in blocks(file, start, stop):
            with watch:
                worth = worth_of_block(self.worth, first, first + len(counts))
                add_frames(sums, counts, self.placement, worth, start=first)
        return sums, watch.read


def one_thread(file: Path, voxels: int) -> dict[str, float]:
    ours = Ours(voxels)
    ours.sums(file, 0, 1)  # compiled, or read from where compiled code is kept
    return least([ours.sums(file)[1] for _ in range(2)])


def two_threads(file: Path, voxels: int) -> dict[str, float]:
    ours, half = Ours(voxels), FRAMES // 2
    ours.sums(file, 0, 1)
    found = []
    for _ in range(2):
        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(lambda start: ours.sums(file, start, start + half), (0, half)))
        adding = Watch()
        with adding:
            parts[0][0].__iadd__(parts[1][0])
        found.append(together([told for _, told in parts]) | {"adding": adding.cpu})
        del parts
    return least(found)


def _half(file: Path, voxels: int, start: int, ready, told) -> None:
    ours = Ours(voxels)
    ours.sums(file, 0, 1)
    for _ in range(2):
        ready.wait()
        told.put(ours.sums(file, start, start + FRAMES // 2)[1] | {"peak": peak()})


def two_processes(file: Path, voxels: int) -> dict[str, float]:
    spawn = multiprocessing.get_context("spawn")
    ready, told = spawn.Barrier(2), spawn.Queue()
    workers = [spawn.Process(target=_half, args=(file, voxels, n * FRAMES // 2, ready, told)) for n in (0, 1)]
    for worker in workers:
        worker.start()
    found = [together([told.get(), told.get()]) for _ in range(2)]
    for worker in workers:
        worker.join()
    return least(found) | {"peak": found[-1]["peak"]}


def xrayutilities(file: Path, voxels: int, step: int = FRAMES) -> dict[str, float]:
    import xrayutilities as xu

    xu.config.NTHREADS, xu.config.VERBOSITY = 1, 0
    conversion = xu.QConversion(["z-"], ["z-"], [0, 1, 0], en=1000 * ENERGY)
    conversion.init_area(
        "x-", "z-", cch1=CENTRE[0], cch2=CENTRE[1], Nch1=SIDE, Nch2=SIDE,
        distance=DISTANCE, pwidth1=PIXEL, pwidth2=PIXEL,
    )  # fmt: skip
    found = []
    for _ in range(2):
        gridder, watch = xu.Gridder3D(voxels, voxels, voxels), Watch()
        gridder.KeepData(True)
        gridder.dataRange(*np.ravel(json.loads(os.environ["LIMITS"])), fixed=True)
        for first, counts in blocks(file, 0, FRAMES, step):
            with watch:
                eta = ETA[first : first + len(counts)]
                up, beam, side = conversion.area(eta, np.full(len(eta), 2 * THETA), UB=np.eye(3))
                gridder(beam, side, up, counts)  # the film's x along the beam, z up
            del up, beam, side
        found.append(watch.read)
    return least(found)


def in_blocks(file: Path, voxels: int) -> dict[str, float]:
    return xrayutilities(file, voxels, BLOCK)


JOBS = {
    "xrayutilities": xrayutilities,
    "xrayutilities, 20 at a time": in_blocks,
    "nanotexture, one thread": one_thread,
    "nanotexture, two threads": two_threads,
    "nanotexture, two processes": two_processes,
}


def peak() -> float:
    """Largest memory of this process so far, MiB; getrusage would count what its parent held when it started."""
    told = Path("/proc/self/status").read_text(encoding="ascii")
    return int(told.partition("VmHWM:")[2].split()[0]) / 1024


def bandwidth() -> float:
    """Bytes per second of a = b + c, 64 MiB each, best of ten."""
    a, b, c = (np.ones(2**23) for _ in range(3))
    best = np.inf
    for _ in range(10):
        begun = time.thread_time()
        np.add(b, c, out=a)
        best = min(best, time.thread_time() - begun)
    return 3 * a.nbytes / best


def run(job: str, voxels: int, file: Path) -> dict[str, float]:
    """What a job found in a process of its own."""
    command = [sys.executable, __file__, "--job", job, str(voxels), str(file)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return json.loads(said.splitlines()[-1])


def table(found: dict[str, list[dict[str, float]]], voxels: int, speed: float) -> list[str]:
    best = {job: least(rounds) for job, rounds in found.items()}
    first, ours = best["xrayutilities"], best["nanotexture, one thread"]
    lines = [
        f"{voxels}^3",
        f"{'Mpixel per second of':>28} {'clock':>7} {'cpu':>7} {'ratio':>6} {'peak / MiB':>11} {'share':>6}",
    ]
    for job, one in best.items():
        lines.append(
            f"{job:>28} {PIXELS / one['seconds'] / 1e6:7.1f} {PIXELS / one['cpu'] / 1e6:7.1f} {first['cpu'] / one['cpu']:6.2f} "
            f"{one['peak']:11.0f} {one['peak'] / first['peak']:6.2f}"
        )
    for name in ("threads", "processes"):
        two = best[f"nanotexture, two {name}"]
        lines.append(
            f"two {name} over one: {ours['seconds'] / two['seconds']:.2f} by the clock, {2 * ours['cpu'] / two['cpu']:.2f} had "
            "they a processor each"
        )
    adding = best["nanotexture, two threads"]["adding"]
    share = READ * PIXELS / ours["cpu"] / speed
    return [
        *lines,
        f"adding two grids: {1e3 * adding:.0f} ms; {READ} bytes read a pixel: {share:.0%} of {speed / 1e9:.1f} GB/s",
        f"one thread over xrayutilities: {first['cpu'] / ours['cpu']:.1f} (target {TARGET:g}), by the clock "
        f"{first['seconds'] / ours['seconds']:.1f}",
        "",
    ]


def main() -> None:
    if sys.argv[1:2] == ["--job"]:
        found = JOBS[sys.argv[2]](Path(sys.argv[4]), int(sys.argv[3]))
        sys.stdout.write(json.dumps({"peak": peak()} | found) + "\n")
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    speed = bandwidth()
    os.environ["LIMITS"] = json.dumps(Ours(128).limits.tolist())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.raw"
        rng = np.random.default_rng(0)
        with file.open("wb") as out:
            for _ in range(FRAMES):
                rng.poisson(3.0, SIDE * SIDE).astype(np.uint16).tofile(out)
        for voxels in (128, 256):
            found: dict[str, list[dict[str, float]]] = {job: [] for job in JOBS}
            for _ in range(rounds):
                for job, rows in found.items():
                    rows.append(run(job, voxels, file))
            sys.stdout.write("\n".join(table(found, voxels, speed)) + "\n")


if __name__ == "__main__":
    main()
