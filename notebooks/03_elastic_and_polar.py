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
# # Vortices from maps: polarization, strain, and what to believe
#
# A superlattice of 16 cells PbTiO$_3$ and 16 cells SrTiO$_3$ is simulated by the phase field, measured at four reflections with
# counting noise, and inverted from the counts without knowledge of the texture. This notebook reads the answer beside the
# truth, and beside the errors that the answer gives itself: on your own film only the latter are there. It ends with
# reflections that do not feel the polarization.
#
# The recipe is small (two repeats, four starts, three harmonics in x, four functions of height), so that both runs end
# in two to three minutes on two cores. The recipe `sim_pto_sto_vortex` is the same film with three repeats, and chooses the
# harmonics and functions itself.

# %%
import json
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from cmcrameri import cm
from IPython.display import Image, Markdown, display
from nanotexture.report import figures
from nanotexture.report.comparison import truth_pairs
from nanotexture.report.domain_text import domains_text
from nanotexture.report.fields import component_fields, displacement_fields, polarization_fields
from nanotexture.report.format import number, with_error
from nanotexture.report.result import open_result
from nanotexture.texture.elastic import gradient_from_field, strain_from_gradient

plt.rcParams |= {"figure.dpi": 90, "font.size": 9, "figure.constrained_layout.use": True}

folder = Path("runs")
folder.mkdir(exist_ok=True)
recipe = folder / "vortices.toml"
recipe.write_text(
    """
name = "vortices"
[input]
kind = "maps"
[simulate]
hkl = [[0, 0, 2], [0, 0, 3], [1, 0, 2], [1, 0, 3]]
energy = "6 keV"
disorder = 0.02
coherence = "600 angstrom"
places = 20
peak_counts = 1e7
voxels = [81, 61]
seed = 16
texture = { kind = "phase_field", period = "117 angstrom", step = "4 angstrom" }
[film]
in_plane = "3.952 angstrom"
stack = [
  { material = "SrTiO3", cells = 16, c = "3.8755 angstrom" },
  { material = "PbTiO3", cells = 16, c = "4.0028 angstrom" } ]
repeat = 2
substrate = { material = "DyScO3", c = "3.952 angstrom" }
[invert]
harmonics = 3
polynomials = 4
starts = 4
batch = 2
"""
)
command = [
    str(Path(sys.executable).with_name("nanotexture")),
    "run",
    str(recipe),
    "--out",
    str(folder),
    "--json",
]
done = subprocess.run(command, capture_output=True, text=True, check=True)
result = open_result(json.loads(done.stdout.splitlines()[-1])["result"])
first = 0  # one temperature was measured
texture = result.texture.isel(temperature=first)

# %% [markdown]
# ## Measured beside calculated
#
# 002 shows the lattice nearly alone, 003 the lattice and the polarization added as amplitudes. Right: the difference over
# the counting noise $\sigma$. The fit is to the satellites integrated over $q_x$, not to these voxels, and allows the model an
# error of 3 %, where 10$^6$ counts have a noise of 0.1 %. So several $\sigma$ on the brightest lines are expected. Signs that
# alternate across a line are its shape, which the texture does not change; one sign along a whole satellite would be the
# texture. The $\chi^2$ per point below judges the second alone.

# %%
for hkl in ("002", "003"):
    measured, orders = (group[hkl].isel(temperature=first) for group in (result.maps, result.orders))
    display(Image(figures.png(figures.maps_figure(measured, orders, hkl))))

# %% [markdown]
# ## Which of the starts to believe
#
# Before looking at a motif: do the starts agree, and does the best one describe what it was not shown? Free $\chi^2$ is
# that of satellite points kept from the inversion. How many starts end in a cluster is no argument: a wrong minimum may
# attract as many. What counts is the gap in $\chi^2$, and still more that in free $\chi^2$. A free $\chi^2$ above the
# ordinary one says that the finest detail follows noise or errors of the model.

# %%
clusters = result.clusters.isel(temperature=first)
solutions = result.solutions.isel(temperature=first)
display(clusters[["weight", "cost", "free_cost", "spread"]].to_dataframe().dropna(how="all").round(4))
display(Image(figures.png(figures.clusters_figure(clusters, texture))))
display(Image(figures.png(figures.costs_figure(solutions))))

# %% [markdown]
# ## Polarization, displacement, strain, and their errors
#
# Left the value, right its standard deviation; dots where the deviation exceeds the value: read no sign there. The deviation
# holds the noise of the counts, the assumed errors of the model and the spread within the cluster. It does not hold what the
# representation leaves out: three harmonics cannot draw a wall sharper than a sixth of the period, and four functions of
# height cannot draw every detail of a layer.

# %%
polarization, displacement = polarization_fields(texture), displacement_fields(texture)
strain = component_fields(texture, "strain")
for fields in (polarization, displacement, strain):
    display(Image(figures.png(figures.fields_figure(texture, fields))))

# %% [markdown]
# ## Beside the truth
#
# The truth is shifted along x, and its mean displacement removed: no intensity depends on either. Then the errors
# that the answer claims are compared with those it has. *Coverage* is the share of points whose truth lies within one
# standard deviation: 0.68 if the deviations are right, less if they are too small.

# %%
pairs = truth_pairs(result)
display(Image(figures.png(figures.truth_figure(texture, pairs))))

true = {one.key: reference.value for one, reference in pairs}
lattice = np.stack([true["displacement_x"], true["displacement_z"]])
slopes = gradient_from_field(field=lattice, period=float(texture["period"]), z=texture["z"].values)
true |= dict(zip(("strain_xx", "strain_zz", "strain_xz"), strain_from_gradient(gradient=slopes), strict=True))

rows = ["| | rms of the truth | rms error | relative to its spread | coverage |", "|---|---|---|---|---|"]
for one in (*polarization, *displacement, *strain):
    error = one.value - true[one.key]
    rms, size = np.sqrt(np.mean(error**2)), np.sqrt(np.mean(true[one.key] ** 2))
    cells = (f"{one.symbol} ({one.units})", number(size, 2), number(rms, 2))
    shares = (f"{rms / np.std(true[one.key]):.2f}", f"{np.mean(np.abs(error) < one.std):.2f}")
    rows.append(f"| {' | '.join((*cells, *shares))} |")
display(Markdown("\n".join(rows)))

# %%
figure, panels = plt.subplots(2, 3, figsize=(10, 5), sharex=True, sharey=True)
x, z = texture["x_position"] / 10, texture["z"] / 10
for column, one in enumerate(strain):
    top = 1e3 * np.quantile(np.abs(true[one.key]), 0.995)
    for ax, values, title in zip(
        panels[:, column], (true[one.key], one.value), ("truth", "result"), strict=True
    ):
        shown = ax.pcolormesh(x, z, 1e3 * values.T, cmap=cm.vik, vmin=-top, vmax=top)
        ax.set_title(f"{one.symbol}, {title}")
    figure.colorbar(shown, ax=panels[:, column], label="10$^{-3}$")
    panels[1, column].set_xlabel("x (nm)")
for ax in panels[:, 0]:
    ax.set_ylabel("z (nm)")
plt.show()

# %% [markdown]
# What to believe: the pattern of $P_z$, $u_x$ and $u_z$, that of $\varepsilon_{zz}$, and the sense in which $P$ turns. What
# not: the band of $P_x$ at the lower interface of each PbTiO$_3$ layer, which the truth does not have and whose standard
# deviation does not warn of it, and $\varepsilon_{xz}$, which is small and whose error is nearly as large as itself. A strain is
# a slope of $u$: few functions of height make it ripple. Coverage far below 0.68 says that the deviations are too small.
# They are those of the modes fitted, and the truth holds more modes than these. A real film does not
# tell its coverage; repeat the inversion with more harmonics and functions of height, and trust what stays.

# %% [markdown]
# ## What is not determined
#
# Components that the reflections do not tell are NaN. The determined share is how much of the answer's variance comes
# from the data and not from the prior; it does not say that the answer is right.

# %%
dims = {"displacement": "component", "polarization": "component", "strain": "strain_component"}
unknown = [
    f"{name} {label}"
    for name, dim in dims.items()
    for label in texture[dim].values
    if texture[name].sel({dim: label}).isnull().all()
]
told = {
    "components that are NaN": ", ".join(unknown) or "none",
    "determined share": number(float(texture["determined"]), 3),
    "inversion": result.texture.attrs["inversion"],
    "χ² and free χ² per point": f"{number(float(texture['cost']))} and {number(float(texture['free_cost']))}",
    "period": with_error(float(texture["period"]), float(texture["period_std"]), "angstrom"),
}
display(Markdown("\n".join(f"- {name}: {value}" for name, value in told.items())))
display(Markdown("\n".join(f"- warning: {text}" for text in result.warnings)))

# %% [markdown]
# The inversion is resolved by the stack and the rod of the substrate, which differ above and below. The period's error is
# that of the satellites' positions and of finitely many periods whose lengths spread (as the satellites' widths say).
#
# ## Domains, walls, vortices
#
# Domains by the direction of $P$ where it exceeds two standard deviations, walls where $P_z$ changes sign, cores where $P$
# turns once around a point. *Winding* is +1 for a vortex of either sense; the sign of its *circulation* is the sense. The share
# of drawn fields that have as many cores is a statement on noise, not on the model: a count that all draws agree on can
# still be wrong if the cluster is.

# %%
domains = result.domains.isel(temperature=first)
display(Markdown(domains_text(domains)))
display(Image(figures.png(figures.domains_figure(domains, texture))))

# %% [markdown]
# Walls in vortices are not walls of zero width: $P$ turns through them. The width is that of a tanh and no narrower than the
# finest harmonic, here a sixth of the period: it is an upper bound. The place of a wall is better known than its width.
#
# ## Energy
#
# Elastic, Landau and gradient energy densities of the answer, with the coefficients of the materials' files. There is no
# electrostatic energy and no misfit of the mean lattice in them, so that they do not add up to the film's energy.
# They are squares and fourth powers of the fields and of their slopes, so that an error of the motif shows here first: the
# bright line of gradient energy at the lower interface is the false band of $P_x$. Compare layers, quote no second digit.

# %%
energy = result.energy.isel(temperature=first)
means = [
    f"- {name}: {with_error(float(energy[f'{name}_mean']) / 1e6, float(energy[f'{name}_mean_std']) / 1e6)} MJ/m³"
    for name in ("elastic", "landau", "gradient")
]
display(Markdown("Means over the film:\n\n" + "\n".join(means)))
display(Image(figures.png(figures.energy_figure(energy, texture))))

# %% [markdown]
# ## Without the reflections that feel the polarization
#
# The same film at 002 and 202 alone. With even indices only, the shifts of the atoms against each other nearly cancel in the
# phase. (102 beside 002 would not be blind: an odd h tells as an odd l does.) The run says so before it computes anything,
# and names a reflection that would tell.

# %%
blind = [
    "--set",
    "simulate.hkl=[[0, 0, 2], [2, 0, 2]]",
    "--set",
    "name=vortices_even",
    "--set",
    "invert.starts=2",
]
done = subprocess.run([*command, *blind], capture_output=True, text=True, check=True)
even = open_result(json.loads(done.stdout.splitlines()[-1])["result"])
lattice_alone = even.texture.isel(temperature=first)

foretold = [line for line in done.stderr.splitlines() if line.startswith("warning")]
display(Markdown("Before the run:\n\n" + "\n".join(f"- {text}" for text in foretold)))
display(Markdown("In the result:\n\n" + "\n".join(f"- {text}" for text in even.warnings)))
nothing = bool(np.isnan(lattice_alone["polarization"]).all())
fit = f"{number(float(lattice_alone['cost']))} and {number(float(lattice_alone['free_cost']))}"
display(Markdown(f"Polarization NaN everywhere: {nothing}. χ² and free χ² per point: {fit}."))
display(Image(figures.png(figures.truth_figure(lattice_alone, truth_pairs(even)))))

# %% [markdown]
# The polarization is NaN, not zero. The displacement is given, and is wrong: without $P$, the equilibrium that ties the lattice
# to it cannot be used, and $P$ still dims even reflections by a few per cent, for which this fit has no unknown. Here the
# truth shows it; on a real film only the $\chi^2$ far above one does, and the warning that it raises. Its
# standard deviations, though widened, do not cover the error. Do not quote such a displacement: add an odd reflection.
