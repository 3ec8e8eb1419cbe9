"""Draws docs/quickstart.png from a finished quickstart: `.venv/bin/python docs/readme_figure.py runs/quickstart/result.zarr`."""

import sys
from pathlib import Path

import numpy as np
import xarray as xr
from cmcrameri import cm
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from nanotexture.phasing.alignment import align
from nanotexture.simulate.score import on_grid

FLOOR, TOP = 3.0, 0.35  # counts, angstrom


def true_displacement(texture: xr.Dataset, truth: xr.Dataset) -> np.ndarray:
    """Truth (component, x, z) on the answer's grid, moved along x onto the answer."""
    grid = {"new_x": texture["x"].values, "new_z": texture["z"].values}
    target = on_grid(truth=truth["displacement"].values[0], x=truth["x"].values, z=truth["z"].values, **grid)
    return align(target[None], texture["displacement"].values[0], allow_inversion=False).fields[0]


def draw(result: Path, out: Path) -> None:
    """Map measured and calculated beside displacement found and true."""
    tree = xr.open_datatree(result, engine="zarr", consolidated=False)
    texture, one = tree["texture"].to_dataset(), tree["maps/103"].to_dataset()
    truth = true_displacement(texture, tree["truth"].to_dataset())
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    axes = figure.subplots(1, 4, width_ratios=[1.1, 1.1, 1, 1])
    norm = LogNorm(FLOOR, float(np.nanmax(one["intensity"])))
    for ax, name, title in zip(
        axes, ("intensity", "model"), ("measured 103 (simulated counts)", "calculated"), strict=False
    ):
        shown = ax.pcolormesh(
            one["qx"], one["qz"], np.maximum(one[name][0].T, FLOOR), norm=norm, cmap=cm.batlow
        )
        ax.set(title=title, xlabel="$q_x$ (1/Å)", ylabel="$q_z$ (1/Å)")
    figure.colorbar(shown, ax=list(axes[:2]), label="counts", shrink=0.8)
    extent = (0, 2 * float(texture["period"][0]) / 10, 0, float(texture["z"][-1]) / 10)
    for ax, values, title in zip(
        axes[2:], (texture["displacement"].values[0][1], truth[1]), ("$u_z$ found", "$u_z$ true"), strict=True
    ):
        drawn = ax.imshow(
            np.tile(values, (2, 1)).T,
            origin="lower",
            extent=extent,
            cmap=cm.vik,
            vmin=-TOP,
            vmax=TOP,
            aspect="auto",
        )
        ax.set(title=title, xlabel="x (nm), two periods", ylabel="z (nm)")
    figure.colorbar(drawn, ax=list(axes[2:]), label="Å", shrink=0.8)
    figure.savefig(out, dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(__file__).with_name("quickstart.png"))
