"""Figures of a result for reports, notebooks and papers: pure functions from datasets to Figures."""

from nanotexture.report.draw import png
from nanotexture.report.figures_clusters import clusters_figure, costs_figure
from nanotexture.report.figures_domains import domains_figure, energy_figure
from nanotexture.report.figures_left_out import left_out_figure
from nanotexture.report.figures_maps import maps_figure
from nanotexture.report.figures_motif import fields_figure, polarization_figure
from nanotexture.report.figures_profiles import profiles_figure
from nanotexture.report.figures_series import motifs_figure, series_figure, thickness_figure, truth_figure
from nanotexture.report.figures_trend import trend_figure

__all__ = [
    "clusters_figure",
    "costs_figure",
    "domains_figure",
    "energy_figure",
    "fields_figure",
    "left_out_figure",
    "maps_figure",
    "motifs_figure",
    "png",
    "polarization_figure",
    "profiles_figure",
    "series_figure",
    "thickness_figure",
    "trend_figure",
    "truth_figure",
]
