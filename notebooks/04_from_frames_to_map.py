# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From detector frames to a reciprocal-space map
#
# An area detector writes counts of pixels; an inversion wants counts at $q_x$, $q_z$. This notebook goes the way between
# step by step, as `nanotexture run` does with `kind = "frames"`: read a scan, place its pixels, choose voxels, add the
# counts up, and look at what came of it. The scan is simulated, so that the map is known: a striped film of PbTiO$_3$ rocked
# through its 103 reflection on a six-circle diffractometer. Put the path of your own file in its place.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from cmcrameri import cm
from IPython.display import Markdown, display
from matplotlib.colors import LogNorm
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack
from nanotexture.geometry import hkl_of, place
from nanotexture.gridding import USUAL, FrameSums, add_frames, choose_grid, worth_of_frames
from nanotexture.gridding.accumulate import means_from_sums
from nanotexture.readers import read_frames
from nanotexture.simulate.axes import Axes
from nanotexture.simulate.brightness import bright_map
from nanotexture.simulate.frame_files import write_frames
from nanotexture.simulate.frames import frames_from_map
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import Disorder
from nanotexture.simulate.six_circle import AreaDetector, rocking_angles

plt.rcParams |= {"figure.dpi": 90, "font.size": 9, "figure.constrained_layout.use": True}

a, c, period = 3.905, 4.08, 40 * 3.905
stack = Stack(a, (Layer(built_in("PbTiO3"), 24, c),))
instrument = Instrument(energy_kev=9.0, resolution=(2e-3, 2e-3), qy_width=0.01, background=0.3, drift=0.05)
centre = 2 * np.pi / a, 6 * np.pi / c
u = np.zeros((3, 32, 1, 24))
u[2] = 0.3 * np.sin(2 * np.pi * np.arange(32) / 32)[:, None, None]
bright = bright_map(
    motif=Motif((period, a), u, None),
    stack=stack,
    substrate=None,
    hkl=(1, 0, 3),
    axes=Axes(centre[0] + np.linspace(-0.12, 0.12, 181), centre[1] + np.linspace(-0.12, 0.12, 141)),
    disorder=Disorder(coherence=300.0, places=12, cumulative=0.05),
    instrument=instrument,
    seed=1,
)
taken = frames_from_map(
    bright,
    stack=stack,
    angles=rocking_angles(q=centre, energy_kev=9.0, width=2.4, frames=120),
    detector=AreaDetector((160, 100), 0.12, 500.0, (80.0, 50.0)),
    instrument=instrument,
    peak_counts=3e3,
    seed=2,
)
folder = TemporaryDirectory()
path = write_frames(Path(folder.name) / "film_103.nxs", taken, name="film", temperature=300.0)

# %% [markdown]
# ## What the file says
#
# A scan is a labelled header beside pixels that stay on disk. The header holds what one needs to place and weigh the counts,
# and what was found wrong: pixels that are dead, hot or masked are counted, not hidden.

# %%
scan = read_frames(path)
told = ["frames", "masked_pixels", "dead_pixels", "hot_pixels", "saturated_counts", "pedestal"]
display(
    Markdown("\n".join(["| | |", "|---|---|", *(f"| {name} | {scan.header.attrs[name]} |" for name in told)]))
)

frames = scan.pixels.read(0, scan.pixels.shape[0])
figure, panels = plt.subplots(1, 4, figsize=(10, 3.4), width_ratios=[1, 1, 1, 1.4])
for ax, n in zip(panels, (40, 60, 80), strict=False):
    shown = ax.imshow(frames[n] + 0.3, norm=LogNorm(0.3, 1e3), cmap=cm.lipari)
    ax.set(title=f"frame {n}", xlabel="column", ylabel="row")
figure.colorbar(shown, ax=panels[2], label="counts")
panels[3].plot(
    scan.header["position"].sel(circle=scan.header["circle"] == "eta").squeeze(),
    frames.sum((1, 2)),
    color="k",
)
panels[3].set(title="rocking curve", xlabel="eta (deg)", ylabel="counts on the detector", yscale="log")
# %% [markdown]
# ## Where the pixels look
#
# The file holds the chain of motors; for SPEC files a goniometer is named instead (`PRESETS` of `nanotexture.geometry`). One
# direction for each pixel and one rotation for each frame are enough to give $q$ of every count:
# $q_{f,p} = M_f\,\hat s_p - o_f$. A check that costs nothing: at the brightest spot hkl must be that of the reflection.

# %%
placement = place(scan.header, None, in_plane=(1, 0, 0), normal=(0, 0, 1))
frame, row, column = np.unravel_index(np.argmax(frames), frames.shape)
spot = np.array([frame]), np.array([row]), np.array([column])
found = hkl_of(placement, frames=spot[0], rows=spot[1], columns=spot[2])[0]
display(
    Markdown(
        f"Brightest spot: frame {frame}, row {row}, column {column}; hkl = "
        + " ".join(f"{n:.3f}" for n in found)
    )
)

some = placement.q(slice(None, None, 4), slice(None, None, 8), slice(None, None, 8)).reshape(-1, 3)
figure, panels = plt.subplots(1, 2, figsize=(8, 3.2))
for ax, (i, j) in zip(panels, ((0, 2), (1, 2)), strict=True):
    ax.plot(some[:, i], some[:, j], ",", color="0.5")
    ax.plot(*[placement.q(*spot)[0][k] for k in (i, j)], "o", color="C3", markersize=4)
    ax.set(xlabel=f"$q_{'xyz'[i]}$ (1/Å)", ylabel=f"$q_{'xyz'[j]}$ (1/Å)")
panels[0].set_title("every 4th frame, every 8th pixel; red: the brightest")
# %% [markdown]
# ## Counts to voxels
#
# Sums, not means, are kept: counts, weights and numbers of pixels of every voxel, and all that was dropped. Nothing is lost:
# voxels and the dropped together hold every count of the scan. A voxel's intensity is counts over weight, which is the
# estimate of largest likelihood where frames were exposed differently.

# %%
grid = choose_grid([placement], steps=(0.002, 1.0, 0.002), crop=(None, None, None), flat=True)
weights = worth_of_frames(scan.header, placement, USUAL)
sums = add_frames(FrameSums.empty(grid), frames, placement, weights)
intensity, variance, mask = means_from_sums(sums=sums.sums, least=0.5)
kept, dropped, every = sums.sums.counts.sum(), sums.dropped[:, 0].sum(), frames.sum(dtype=float)
display(
    Markdown(
        f"{kept:.0f} counts in voxels + {dropped:.0f} dropped = {kept + dropped:.0f}; on the detector: {every:.0f}"
    )
)

qx, qz = grid.axes[0].centres, grid.axes[2].centres
edges = [qx[0], qx[-1], qz[0], qz[-1]]
figure, panels = plt.subplots(1, 3, figsize=(11, 3.4))
pictures = (
    (
        np.where(mask == 0, intensity, np.nan),
        "intensity (counts a pixel)",
        LogNorm(0.05, np.nanmax(intensity)),
    ),
    (
        np.where(mask == 0, intensity / np.sqrt(variance), np.nan),
        "intensity / standard deviation",
        LogNorm(0.3, 300),
    ),
    (np.where(mask == 0, sums.sums.contributions, np.nan), "pixels in the voxel", None),
)
for ax, (values, title, norm) in zip(panels, pictures, strict=True):
    shown = ax.imshow(values.T, origin="lower", extent=edges, aspect="auto", cmap=cm.lipari, norm=norm)
    figure.colorbar(shown, ax=ax)
    ax.set(title=title, xlabel="$q_x$ (1/Å)", ylabel="$q_z$ (1/Å)")

# %% [markdown]
# ## Is it the map that was put in?
#
# Summed over $q_z$, the measured map shows the film's peak with its satellites at $\pm 2\pi/L$, where the film has them.

# %%
weight = np.where(mask == 0, sums.sums.contributions, 0.0)
measured = (np.nan_to_num(intensity) * weight).sum(1) / np.maximum(weight.sum(1), 1)
figure, ax = plt.subplots(figsize=(7, 2.8))
ax.plot(qx, measured, color="k", linewidth=0.9)
for n in range(-3, 4):
    ax.axvline(centre[0] + n * 2 * np.pi / period, color="C3" if n else "C0", linewidth=0.6)
ax.set(
    xlabel="$q_x$ (1/Å)",
    ylabel="counts a pixel, mean over $q_z$",
    yscale="log",
    xlim=(qx[0] + 0.02, qx[-1] - 0.02),
)
# %% [markdown]
# ## The same from the command line
#
# A recipe does all of it as Dask tasks, blocks of frames at a time, for one scan or a temperature series on one grid; with a
# table `[film]` beside it the maps are inverted at once. `convert.growing = true` tops up a scan that is still being measured.
#
# ```toml
# name = "film"
# [input]
# kind = "frames"
# files = ["film_*.nxs"]
# ```

# %%
folder.cleanup()
