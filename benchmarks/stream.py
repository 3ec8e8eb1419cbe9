"""A long scan through the whole pipeline: 20,000 frames of 512 x 512, seconds and the peak memory of every worker.

Run: .venv/bin/python benchmarks/stream.py [frames] [workers]

The frames are written once into a temporary folder: Poisson counts of 64 different frames, over and over, compressed as an
Eiger's are. Memory is the resident set of the busiest worker, looked at ten times a second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import psutil
from nanotexture.simulate.frame_files import write_frames
from nanotexture.simulate.frames import Frames
from nanotexture.simulate.six_circle import Angles, AreaDetector

SIDE, DIFFERENT = 512, 64
RECIPE = """
name = "stream"
[input]
kind = "frames"
files = ["long.nxs"]
[convert]
volume = {volume}
"""


def write_long(path: Path, frames: int) -> None:
    """A scan of many frames; only the first DIFFERENT are drawn."""
    zero = np.zeros(frames)
    turned = np.linspace(10.0, 30.0, frames)
    rng = np.random.default_rng(0)
    counts = rng.poisson(2.0, (DIFFERENT, SIDE, SIDE)).astype(np.uint16)
    few = Frames(
        hkl=(1, 0, 3), counts=counts[:1], monitor=np.full(frames, 1e6), pixel_mask=np.zeros((SIDE, SIDE), np.uint32),
        saturation=2**15, angles=Angles(zero, turned, zero, zero, zero, np.full(frames, 40.0)),
        detector=AreaDetector((SIDE, SIDE), 0.075, 600.0, (255.5, 255.5)), energy_kev=10.0, cell=(3.9, 3.9, 4.1),
    )  # fmt: skip
    write_frames(path, few, name="long")
    with h5py.File(path, "r+") as file:
        group = file["entry/instrument/detector"]
        del group["data"]
        data = group.create_dataset(
            "data", (frames, SIDE, SIDE), np.uint16, chunks=(1, SIDE, SIDE), **hdf5plugin.Bitshuffle()
        )
        data.attrs["units"] = "count"
        data[:DIFFERENT] = counts
        packed = [data.id.read_direct_chunk((n, 0, 0))[1] for n in range(DIFFERENT)]
        for n in range(DIFFERENT, frames):
            data.id.write_direct_chunk((n, 0, 0), packed[n % DIFFERENT])


def peak_of_workers(process: subprocess.Popen[str]) -> float:
    """Largest resident set in MB of a child of a running command, until it ends."""
    peak, parent = 0, psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.Error):
            peak = max([peak, *(child.memory_info().rss for child in parent.children(recursive=True))])
        time.sleep(0.1)
    return peak / 1e6


def main() -> None:
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    sys.stdout.write(f"{frames} frames of {SIDE} x {SIDE}, {workers} workers\n")
    with tempfile.TemporaryDirectory() as folder:
        write_long(Path(folder) / "long.nxs", frames)
        for volume in (False, True):
            recipe = Path(folder) / "stream.toml"
            recipe.write_text(RECIPE.format(volume=str(volume).lower()))
            command = [sys.executable, "-c", "from nanotexture.cli import main; main()", "run", str(recipe)]
            told = ["--out", f"{folder}/{volume}", "--workers", str(workers), "--json"]
            process = subprocess.Popen([*command, *told], stdout=subprocess.PIPE, text=True)
            peak = peak_of_workers(process)
            said = json.loads(process.communicate()[0].splitlines()[-1])
            rate = frames * SIDE**2 / said["seconds"] / 1e6
            kind = "qx, qy, qz" if volume else "qx, qz"
            line = (
                f"{kind:<12}{said['seconds']:>8.1f} s{rate:>8.0f} Mpixel/s{peak:>8.0f} MB at most in a worker"
            )
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
