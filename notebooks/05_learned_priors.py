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
# # Learned priors: what a network knows before the first iteration
#
# A crystal of 3D coherent diffraction is found by iterations from random phases, and some starts never arrive. A network
# that has seen simulated particles can guess the phases of the diffraction at once. This notebook takes three particles that
# no training has seen, counts their photons, and looks at the guess, at what 200 iterations make of it, and at random starts
# beside it.
#
# The rule is the same for all: HIO with ER and shrink-wrap, coherent beam. Which start is best is told by the held-out voxels
# (free $\chi^2$); the truth is used only to draw the error.

# %%
import json
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import xarray as xr
from cmcrameri import cm
from IPython.display import Markdown
from nanotexture.data import locate
from nanotexture.phasing.constraints import best_scale, chi2_of_magnitudes
from nanotexture.phasing.crystal import CrystalSettings, projected
from nanotexture.phasing.crystal_alignment import centred_on_mass, moved, overlap
from nanotexture.phasing.crystal_pattern import hold_out_blocks, pattern_of
from nanotexture.phasing.farfield import from_corner
from nanotexture.priors.guess import guessed
from nanotexture.priors.weights import load_prior
from nanotexture.simulate.crystal import counted, pattern_of_density
from nanotexture.simulate.particles import Particles, random_particle

torch.set_num_threads(1)
plt.rcParams |= {"figure.dpi": 90, "font.size": 9, "figure.constrained_layout.use": True}

RANGE, COUNTS, SEED = (
    3 * np.pi,
    1e6,
    1_000_003,
)  # phase range in rad, photons in the brightest voxel, seed of no training
prior = load_prior(locate("crystal_prior")[0])
limits = prior.trust.limits(COUNTS)
Markdown(
    f"A guess is trusted up to a free χ² of {limits.free_chi2:.3f} and a spread of {limits.spread:.2f} over answers to the "
    "pattern turned twelve ways: the 0.95 quantiles of particles that the network never learnt from. "
    f"At a free χ² of {limits.sure:.3f} or less, their median, any spread is trusted."
)

# %% [markdown]
# Truth and pattern of three particles, 48³ voxels. The phase is that of the displacement along Q; it wraps one and a half times.

# %%
truths, patterns = [], []
for number in range(3):
    density = random_particle(
        Particles(size=48, phase_range=(RANGE, RANGE)), seed=SEED, number=number
    ).density
    intensity = pattern_of_density(density)
    counts = counted(intensity * (COUNTS / intensity.max()), number)
    measured = np.ones(counts.shape, dtype=bool)
    held = hold_out_blocks(counts=counts, measured=measured, seed=0)
    truths.append(centred_on_mass(density.conj()))
    patterns.append(pattern_of(counts=counts, measured=measured, held=held))

fig, axes = plt.subplots(2, 3, figsize=(8, 5))
for (above, below), truth, pattern in zip(axes.T, truths, patterns, strict=True):
    middle = truth[:, :, 24]
    above.imshow(np.log10(1 + np.fft.fftshift(pattern.counts)[:, :, 24].T), cmap=cm.lipari, origin="lower")
    below.imshow(
        np.where(abs(middle) > 0.1, np.angle(middle), np.nan)[10:38, 10:38].T,
        cmap=cm.romaO,
        vmin=-np.pi,
        vmax=np.pi,
        origin="lower",
    )
    above.set_title("log10 counts, middle slice")
    below.set_title("phase (rad), middle slice")
plt.show()

# %% [markdown]
# One learned start and three random ones of 200 iterations each. `similarity` is the correlation with the truth after the
# shift, the phase and the twin that no intensity can tell: 1 is the crystal itself, 0.9 counts as found.

# %%
settings = CrystalSettings(cycles=1, even=1, coherence=False)
rows = []
for truth, pattern in zip(truths, patterns, strict=True):
    guess = guessed(prior.network, pattern)
    runs = {"guess alone": guess.object}
    runs["learned start"] = projected(
        pattern, settings=settings, seed=0, start=0, begin=guess.object
    ).found.object
    for start in range(3):
        runs[f"random {start}"] = projected(pattern, settings=settings, seed=0, start=start).found.object
    told = {}
    for name, found in runs.items():
        magnitude, amplitude = np.abs(from_corner(found)), np.sqrt(pattern.counts)
        scale = best_scale(magnitude=magnitude, amplitude=amplitude, weight=pattern.work)
        free = chi2_of_magnitudes(magnitude=magnitude, amplitude=amplitude, weight=pattern.held, scale=scale)
        placed = centred_on_mass(found)
        by = overlap(placed, truth)
        told[name] = (free, by.similarity, moved(placed, by))
    rows.append((guess, told))

lines = ["| particle | start | free χ² | similarity |", "|---|---|---|---|"]
for number, (guess, told) in enumerate(rows):
    known = prior.trust.allows(COUNTS, free_chi2=guess.free_chi2, spread=guess.spread)
    trust = "trusted" if known else "out of distribution"
    for name, (free, similarity, _) in told.items():
        found = "**found**" if similarity >= 0.9 else ""
        lines.append(f"| {number} ({trust}) | {name} | {free:.1e} | {similarity:.3f} {found} |")
Markdown("\n".join(lines))

# %%
fig, axis = plt.subplots(figsize=(5, 3.4))
for number, (_, told) in enumerate(rows):
    for name, (free, similarity, _) in told.items():
        mark = {"guess alone": "^", "learned start": "o"}.get(name, "x")
        axis.semilogx(free, similarity, mark, color=f"C{number}")
axis.axhline(0.9, color="0.7", lw=0.8)
axis.set(
    xlabel="free χ² (what a run can see)",
    ylabel="similarity to the truth",
    title="△ guess, ○ learned start, × random starts",
)
plt.show()

# %% [markdown]
# A low free $\chi^2$ goes with the truth: that is why it may choose. Below, each particle as the learned start and as the best
# random start (by free $\chi^2$) leave it, beside the truth; holes are where the modulus has not come out even.

# %%
fig, axes = plt.subplots(3, 3, figsize=(8, 7.5))
for across, truth, (_, told) in zip(axes, truths, rows, strict=True):
    best = min((name for name in told if name.startswith("random")), key=lambda name: told[name][0])
    for axis, name, found in zip(
        across,
        ("truth", "learned start", best),
        (truth, told["learned start"][2], told[best][2]),
        strict=True,
    ):
        inside = abs(found) > 0.2 * abs(found).max()
        axis.imshow(
            np.where(inside, np.angle(found), np.nan)[10:38, 10:38, 24].T,
            cmap=cm.romaO,
            vmin=-np.pi,
            vmax=np.pi,
            origin="lower",
        )
        axis.set_title(name + ("" if name == "truth" else f", similarity {told[name][1]:.2f}"))
        axis.set_axis_off()
plt.show()

# %% [markdown]
# # Films: where starts begin
#
# The motif solver of films starts from random motifs too. With `prior = "auto"` half of its starts begin where a network
# says, one that has learnt from laminates, closure domains, vortices and smooth random films, and never from the film below:
# ferroelastic stripes are a family held out by name. The recipe is that of the quickstart with a tenth of its counts.

# %%
folder = Path("runs")
folder.mkdir(exist_ok=True)
recipe = folder / "stripes.toml"
recipe.write_text(
    """
name = "stripes"
[input]
kind = "maps"
[simulate]
hkl = [[0, 0, 2], [1, 0, 3], [-1, 0, 3]]
disorder = 0.02
coherence = "600 angstrom"
peak_counts = 1e5
background = 5.0
seed = 7
voxels = [161, 81]
texture = { kind = "stripes", period = "120 angstrom", amplitude = "0.35 angstrom", tilt = 20.0, wall = "20 angstrom" }
[film]
in_plane = "3.905 angstrom"
material = "PbTiO3"
c = "4.08 angstrom"
thickness = "204 angstrom"
substrate = { material = "SrTiO3", c = "3.905 angstrom" }
[texture]
polarization = false
[invert]
starts = 16
prior = "auto"
harmonics = 3
polynomials = 5
"""
)
nanotexture = str(Path(sys.executable).with_name("nanotexture"))
command = [nanotexture, "run", str(recipe), "--out", str(folder), "--cluster", "none", "--json"]
ended = subprocess.run(command, capture_output=True, text=True, check=True)
tree = xr.open_datatree(
    json.loads(ended.stdout.splitlines()[-1])["result"], engine="zarr", consolidated=False
)
solutions = tree["solutions"].to_dataset().isel(temperature=0)
learned = solutions["learned"].values.astype(bool)
best = solutions["cluster"].values == 0
expected = float(solutions["prior_expected_error"])
Markdown(
    f"The network expects a relative error of {expected:.2f} of itself. {best[learned].sum()} of {learned.sum()} learned and "
    f"{best[~learned].sum()} of {(~learned).sum()} random starts end in the best cluster."
)

# %% [markdown]
# Steps and cost of every start. A learned start leaves out the coarse rungs of the ladder, and so needs fewer steps; both
# kinds must end at the same cost, or the prior has made the answer. Then the displacement that they agree on beside the truth.

# %%
fig, axis = plt.subplots(figsize=(5, 3.2))
for kind, chosen, mark in (("learned", learned, "o"), ("random", ~learned, "x")):
    axis.plot(solutions["iterations"].values[chosen], solutions["cost"].values[chosen], mark, label=kind)
axis.set(xlabel="Gauss-Newton steps", ylabel="χ² per point", ylim=(0, 1.2 * float(solutions["cost"].max())))
axis.legend()
plt.show()

# %%
found, truth = (tree[name].to_dataset().isel(temperature=0) for name in ("texture", "truth"))
score = tree["score"].to_dataset().isel(temperature=0)["nrmse"].values
fig, axes = plt.subplots(2, 2, figsize=(8, 4.5))
for row, (component, error) in zip(axes, zip(("x", "z"), score, strict=True), strict=True):
    for axis, name, one in zip(row, ("found", "truth"), (found, truth), strict=True):
        u = one["displacement"].values[0 if component == "x" else 1]
        image = axis.pcolormesh(one["x"], one["z"], u.T, cmap=cm.vik, vmin=-0.4, vmax=0.4)
        axis.set(
            title=f"u_{component} (Å), {name}" + (f", nrmse {error:.2f}" if name == "found" else ""),
            ylabel="z (Å)",
        )
    fig.colorbar(image, ax=row)
plt.show()
