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
# # Would this texture be visible at these counts?
#
# Before a beam time one wants to know which reflections to measure and for how long. Both can be answered on the desk:
# make the texture, measure it on the computer as the beamline would, and look. Here the texture is that of polar
# vortices in a superlattice of PbTiO$_3$ and SrTiO$_3$ on DyScO$_3$, relaxed by a phase field. Change the stack or take
# another texture of `nanotexture.simulate.textures` to plan your own.

# %%
import matplotlib.pyplot as plt
import numpy as np
from cmcrameri import cm
from IPython.display import Markdown, display
from matplotlib.colors import LogNorm
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.simulate.axes import sensible_axes
from nanotexture.simulate.brightness import bright_map
from nanotexture.simulate.counting import measured_maps
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.phase_field_texture import PhaseField, motif_from_phase_field
from nanotexture.simulate.places import Disorder

plt.rcParams |= {"figure.dpi": 90, "font.size": 9, "figure.constrained_layout.use": True}

stack = Stack(
    in_plane=3.952,
    layers=(Layer(built_in("SrTiO3"), 16, 3.8755), Layer(built_in("PbTiO3"), 16, 4.0028)),
    repeat=3,
)
substrate = Substrate(built_in("DyScO3"), 3.952)
period = 117.0
texture = motif_from_phase_field(stack=stack, texture=PhaseField(period, step=2.0))

# %% [markdown]
# ## The texture
#
# Over two periods, substrate at the bottom. The polarization turns around cores in the PbTiO$_3$ layers, and the lattice
# follows its square. Were the cores all at one height, up and down domains would be alike and the displacement would
# repeat twice where the polarization repeats once. They are not: their heights alternate, the domains lean, and with them
# planes rise on one side of a period and sink on the other. Both fields then have the same period, and only the reflections
# can tell them apart.

# %%
x = np.arange(2 * texture.displacement.shape[1]) * period / texture.displacement.shape[1] / 10
z = stack.heights / 10
p_x, _, p_z = np.tile(texture.polarization[:, :, 0], (1, 2, 1))
u_x, _, u_z = np.tile(texture.displacement[:, :, 0], (1, 2, 1))
u_z = u_z - u_z.mean(axis=0)  # what varies along x; the rest is the c of each plane

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
shown = left.pcolormesh(x, z, p_z.T, cmap=cm.vik, vmin=-0.65, vmax=0.65)
left.quiver(x[::5], z[::3], p_x[::5, ::3].T, p_z[::5, ::3].T, scale=18, width=0.003)
figure.colorbar(shown, ax=left, label="$P_z$ (C/m²)")
top = np.abs(u_z).max()
shown = right.pcolormesh(x, z, u_z.T, cmap=cm.vik, vmin=-top, vmax=top)
figure.colorbar(shown, ax=right, label="$u_z$, modulated part (Å)")
left.set(title="polarization", xlabel="x (nm)", ylabel="z (nm)")
right.set(title="displacement", xlabel="x (nm)")
plt.show()

# %% [markdown]
# ## Its maps
#
# Four reflections on the film normal, before anything is counted: the brightness at unit flux, periods that vary by 2 %.
# The streak in the middle is the film with its superlattice peaks and the rod of the substrate, whose peak is masked.
# Satellites stand at multiples of $2\pi/L$ on either side.

# %%
reflections = [(0, 0, 1), (0, 0, 2), (0, 0, 3), (0, 0, 4)]
instrument = Instrument(background=2.0)
disorder = Disorder(cumulative=0.02, coherence=600.0, places=20)
axes = {hkl: sensible_axes(period=period, stack=stack, hkl=hkl, shape=(141, 91)) for hkl in reflections}
told = {"stack": stack, "substrate": substrate, "disorder": disorder, "instrument": instrument, "seed": 1}
maps = {hkl: bright_map(motif=texture, hkl=hkl, axes=axes[hkl], **told) for hkl in reflections}

figure, panels = plt.subplots(1, 4, figsize=(11, 3.2))
for hkl, ax in zip(reflections, panels, strict=True):
    one = maps[hkl]
    seen = np.where(one.mask == 0, one.intensity, np.nan)
    norm = LogNorm(1e-7 * one.peak, one.peak)
    ax.pcolormesh(one.axes.qx, one.axes.qz, np.maximum(seen, 1.1e-7 * one.peak).T, norm=norm, cmap=cm.batlow)
    ax.set(title="{}{}{}".format(*hkl), xlabel="$q_x$ (1/Å)")
panels[0].set_ylabel("$q_z$ (1/Å)")
plt.show()

# %% [markdown]
# ## Which reflection shows what
#
# Take the polarization away and leave the lattice as it is, then the other way round, and compare how much of each
# satellite remains. Orders are counted in $2\pi/L$, with $L$ the period of the polarization.

# %%
lattice_only = Motif(texture.periods, texture.displacement, None)
polar_only = Motif(texture.periods, np.zeros_like(texture.displacement), texture.polarization)
spacing = 2 * np.pi / period
parts = {"both": texture, "lattice alone": lattice_only, "polarization alone": polar_only}
strength = {}
for name, motif in parts.items():
    for hkl in reflections:
        one = maps[hkl] if motif is texture else bright_map(motif=motif, hkl=hkl, axes=axes[hkl], **told)
        bright = np.where(one.mask == 0, one.intensity, 0.0).sum(axis=1)
        order = (
            np.abs(np.abs(one.axes.qx) / spacing - np.array([[1], [2]])) < 0.4
        )  # h = 0: satellites around qx = 0
        strength[name, hkl] = (order * bright).sum(axis=1)

figure, panels = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for number, ax in enumerate(panels):
    for i, name in enumerate(parts):
        heights = [strength[name, hkl][number] for hkl in reflections]
        ax.bar(np.arange(4) + 0.27 * (i - 1), heights, 0.25, label=name, color=cm.batlow(0.1 + 0.35 * i))
    ax.set(title=f"satellites of order {number + 1}", yscale="log")
    ax.set_xticks(range(4), ["{}{}{}".format(*hkl) for hkl in reflections])
panels[0].set_ylabel("integrated brightness")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
plt.show()

share = {hkl: strength["polarization alone", hkl][0] / strength["both", hkl][0] for hkl in reflections}
lines = ["- {}{}{}: ".format(*hkl) + f"{value:.2g}" for hkl, value in share.items()]
display(
    Markdown("First satellites of the polarization alone, relative to those of both:\n\n" + "\n".join(lines))
)

# %% [markdown]
# Polarization moves the atoms of a cell against each other. At even $l$ their phases nearly cancel, and what is left is
# the lattice: at 002 the polarization alone gives less than a hundredth of the satellite. At odd $l$ it gives about as much
# as the lattice, the two add as amplitudes, and the sum depends on their sign. So an even reflection shows the displacement,
# and an odd one beside it the direction of the polarization; odd ones alone leave open what is which.

# %% [markdown]
# ## Counts needed
#
# The same maps with Poisson noise, for three exposures. The peak is the brightest voxel of all four maps outside the mask,
# and it is not where the satellites are.

# %%
exposures = (1e3, 1e5, 1e7)
counted = {
    peak: measured_maps(list(maps.values()), peak_counts=peak, instrument=instrument, seed=3)
    for peak in exposures
}

figure, panels = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
for peak, ax in zip(exposures, panels, strict=True):
    one = counted[peak][2]
    seen = np.where(one.mask == 0, np.maximum(one.intensity, 0.7), np.nan)
    shown = ax.pcolormesh(one.axes.qx, one.axes.qz, seen.T, norm=LogNorm(0.7, peak), cmap=cm.batlow)
    figure.colorbar(shown, ax=ax, label="counts")
    ax.set(title=f"003, {peak:.0e} counts in the peak", xlabel="$q_x$ (1/Å)")
panels[0].set_ylabel("$q_z$ (1/Å)")
plt.show()

# %% [markdown]
# What the eye does, in a number: signal to noise of a satellite whose shape is known,
# $\sqrt{\sum s^2/(s+b)}$ over its voxels, where $s$ is what the texture adds to the map of a flat film and $b$ everything
# else, background included. Five is the least at which one would call it there; an inversion wants the second order, and
# a hundred in the first.

# %%
flat = Motif(texture.periods, np.zeros_like(texture.displacement), None)
flux_of_peak = 1 / max(one.peak for one in maps.values())
peaks = np.logspace(2, 8, 25)
figure, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
needed = []
for colour, hkl in enumerate(reflections):
    with_texture = maps[hkl]
    without = bright_map(motif=flat, hkl=hkl, axes=axes[hkl], **told).intensity
    for number, ax in enumerate(panels, start=1):
        window = (np.abs(np.abs(axes[hkl].qx) / spacing - number) < 0.4)[:, None] & (with_texture.mask == 0)
        signal = np.maximum(with_texture.intensity - without, 0.0)[window] * flux_of_peak
        rest = without[window] * flux_of_peak
        found = [
            np.sqrt((p * signal**2 * p / (p * (signal + rest) + instrument.background)).sum()) for p in peaks
        ]
        label = "{}{}{}".format(*hkl)
        ax.loglog(peaks, found, color=cm.batlow(0.25 * colour), label=label)
        ax.axhline(5, color="0.6", lw=0.8)
        ax.set(title=f"satellites of order {number}", xlabel="counts in the peak", ylim=(1e-2, 1e5))
        enough = 10 ** np.interp(np.log10(5), np.log10(found), np.log10(peaks), left=2, right=np.inf)
        needed.append((label, number, f"{enough:.0e}" if np.isfinite(enough) else "more than 1e+08"))
panels[0].set_ylabel("signal to noise")
panels[0].legend()
plt.show()

rows = [
    f"| {label} | {number} | {counts} |" for label, number, counts in sorted(needed, key=lambda row: row[1])
]
display(
    Markdown(
        "\n".join(["| reflection | order | peak counts for signal to noise 5 |", "|---|---|---|", *rows])
    )
)

# %% [markdown]
# Where one reflection needs a hundred times the counts of another, measure the other. `nanotexture simulate` writes such a
# measurement as files, and `nanotexture run` on the recipe beside them says what an inversion makes of it: visible is not
# yet solvable.
