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
# # A texture map, from reciprocal space to the lattice
#
# `nanotexture run recipes/quickstart.toml` measures nothing: it simulates three reflections of a thin film whose
# lattice is striped, adds counting noise, forgets the answer, and finds it again from the counts. This notebook opens
# what the run left behind and reads it as you would read the result for your own film.
#
# The result is one [xarray](https://docs.xarray.dev) tree in a folder, `result.zarr`. Every variable knows its unit
# and says in one sentence what it is. Point the environment variable `NANOTEXTURE_RESULT` at another result to read
# that one instead.

# %%
import os
from pathlib import Path

import numpy as np
import xarray as xr
from IPython.display import Image, Markdown, display
from nanotexture.report import figures
from nanotexture.report.fields import displacement_fields
from nanotexture.report.format import number, with_error

path = Path(os.environ.get("NANOTEXTURE_RESULT", "../runs/quickstart/result.zarr"))
result = xr.open_datatree(path, engine="zarr", consolidated=False).load()
display(result)

# %% [markdown]
# ## What was measured, and what the answer predicts
#
# Around the film's Bragg peak stand satellites, one pair for each harmonic of the stripes: their distance along $q_x$
# is $2\pi$ over the period, and their profile along $q_z$ is the transform of the stripes through the film. Left: the
# counts. Middle: the counts calculated from the answer. Right: their difference in units of the counting noise. White
# noise there means that nothing is left to explain; a satellite still visible there is something the model misses.

# %%
first = 0  # one temperature was measured; a series has more
hkl = next(iter(result["maps"].children))
measured = result["maps"][hkl].to_dataset().isel(temperature=first)
orders = result["orders"][hkl].to_dataset().isel(temperature=first)
c = float(result["texture"]["c"][first])

display(Image(figures.png(figures.maps_figure(measured, orders, hkl, c=c))))

# %% [markdown]
# The same, order by order. Open diamonds were kept from the inversion: a motif that also goes through points it has
# never seen has found something about the film, and not only about the noise.

# %%
display(Image(figures.png(figures.profiles_figure(orders, hkl))))

# %% [markdown]
# ## The motif
#
# The displacement of the lattice from its unstrained reference, drawn over two periods: what one average period of
# the texture looks like in cross section, substrate at the bottom. The standard deviation beside it is part of the
# answer. Dots mark where it exceeds the value: do not read a sign there.
#
# Each reflection sees only the displacement along its own $\mathbf Q$. Reflections with different directions of
# $\mathbf Q$ give both components; with a single one, the map below shows the displacement along that direction, and
# the components are NaN, which means "not determined" and is not zero.

# %%
texture = result["texture"].to_dataset().isel(temperature=first)
motif = displacement_fields(texture)

display(Markdown("Determined: {determined_components}; inversion: {inversion}.".format(**texture.attrs)))
display(Image(figures.png(figures.fields_figure(texture, motif, texture.attrs.get("q_direction")))))

# %% [markdown]
# ## Is it the only answer?
#
# Intensities hold no phases, so the search starts from many random motifs. Starts that end in the same motif form a
# cluster. One cluster far below the others is what you hope for. Several at the same cost are different films that
# your data cannot tell apart: only what they have in common is established, and averaging them would invent a third.

# %%
clusters = result["clusters"].to_dataset().isel(temperature=first)
solutions = result["solutions"].to_dataset().isel(temperature=first)

display(clusters[["weight", "cost", "free_cost", "spread"]].to_dataframe().dropna(how="all").round(3))
display(Image(figures.png(figures.clusters_figure(clusters, texture))))
display(Image(figures.png(figures.costs_figure(solutions))))

# %% [markdown]
# ## A number to quote
#
# Two numbers for a paper: the period, which comes from the positions of the satellites alone, and the peak-to-peak
# displacement, which comes from their intensities and inherits the error of the motif at its two extremes.

# %%
strongest = max(motif, key=lambda one: one.rms)
top, bottom = np.nanargmax(strongest.value), np.nanargmin(strongest.value)
swing = strongest.value.flat[top] - strongest.value.flat[bottom]
error = np.hypot(strongest.std.flat[top], strongest.std.flat[bottom])

quoted = {
    "period": with_error(float(texture["period"]), float(texture["period_std"]), "angstrom"),
    f"peak to peak of {strongest.symbol}": with_error(swing, error, strongest.units),
    "χ² and free χ² per point": f"{number(float(texture['cost']))} and {number(float(texture['free_cost']))}",
}
display(Markdown("\n".join(f"- {name}: {value}" for name, value in quoted.items())))

# %% [markdown]
# The two errors are combined as if they were independent, and a χ² per point well above one means that the model
# misses something that these errors do not contain. `report.html` beside the result lists, for this very result, what
# may be concluded from it, what may not, and which measurement would settle what is open.
