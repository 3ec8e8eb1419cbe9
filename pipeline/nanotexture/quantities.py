"""The nouns: what one stage may ask another for. Each names a state of the data; schema lists its variables."""

from typing import NewType

import xarray as xr

Scan = NewType("Scan", xr.Dataset)  # what an instrument recorded: counts at angles
Frames = NewType(
    "Frames", xr.Dataset
)  # what stands beside the frames of an area detector: motors, monitor, mask
FrameGrid = NewType("FrameGrid", xr.Dataset)  # the voxels that all scans of a series share
BlockSums = NewType("BlockSums", xr.Dataset)  # sums over voxels of some frames of a scan
HklScan = NewType("HklScan", xr.Dataset)  # what a point detector counted at each h, k, l
Alignment = NewType("Alignment", xr.Dataset)  # goniometer offsets found from a substrate peak
ReciprocalMap = NewType("ReciprocalMap", xr.Dataset)  # counts on a regular grid of qx and qz, one reflection
Rod = NewType("Rod", xr.Dataset)  # intensities along one line of reciprocal space
Directions = NewType(
    "Directions", xr.Dataset
)  # whether the maps are of a texture periodic in both directions
ThicknessScan = NewType("ThicknessScan", xr.Dataset)  # film thickness from a symmetric line scan
Combs = NewType("Combs", xr.Dataset)  # satellites of one spacing in all maps of a temperature
MapFit = NewType("MapFit", xr.Dataset)  # lines along qx and rod of order 0 fitted to one map
Orders = NewType("Orders", xr.Dataset)  # satellites integrated over qx, order by order, one temperature
Reference = NewType("Reference", xr.Dataset)  # the reference lattice that all temperatures share
Trial = NewType("Trial", xr.Dataset)  # free chi2 reached with one number of modes
ModeChoice = NewType("ModeChoice", xr.Dataset)  # the number of modes that the held-out satellites allow
Solutions = NewType("Solutions", xr.Dataset)  # motifs found from a batch of starts
Clusters = NewType("Clusters", xr.Dataset)  # solutions aligned and grouped
Settled = NewType("Settled", xr.Dataset)  # the answer relaxed on all reflections once more
LeftOut = NewType("LeftOut", xr.Dataset)  # how well the other reflections predict one
Texture = NewType("Texture", xr.Dataset)  # the answer for one temperature
Domains = NewType("Domains", xr.Dataset)  # domains, walls and cores of the answers at all temperatures
Energy = NewType("Energy", xr.Dataset)  # energy densities of the answers at all temperatures
Series = NewType("Series", xr.Dataset)  # what follows from the answers against temperature
SimulatedMotif = NewType(
    "SimulatedMotif", xr.Dataset
)  # one period of a simulated texture on the planes of its film
BrightMap = NewType("BrightMap", xr.Dataset)  # a simulated map before anything is counted, one reflection
Truth = NewType("Truth", xr.Dataset)  # the simulated texture behind a simulated map, laid out as an answer
Diffraction = NewType("Diffraction", xr.Dataset)  # counts of one crystal on a grid of Q, ready for phasing
CrystalTrial = NewType(
    "CrystalTrial", xr.Dataset
)  # free chi2 reached with one threshold of shrink-wrap, beam coherent or not
CrystalChoice = NewType(
    "CrystalChoice", xr.Dataset
)  # threshold and coherence that the held-out voxels ask for
CrystalSolutions = NewType("CrystalSolutions", xr.Dataset)  # crystals found from a batch of starts
CrystalClusters = NewType("CrystalClusters", xr.Dataset)  # those aligned and grouped
CrystalAnswers = NewType("CrystalAnswers", xr.Dataset)  # shape, displacement and strain of each cluster
CrystalGuess = NewType("CrystalGuess", xr.Dataset)  # where a learned prior would begin
CrystalExamples = NewType(
    "CrystalExamples", xr.Dataset
)  # simulated particles: intensity and phase of their diffraction
FilmGuess = NewType("FilmGuess", xr.Dataset)  # where a learned prior would begin with a film
FirstCosts = NewType("FirstCosts", xr.Dataset)  # how well a prior fits films that it never learnt from
FilmExamples = NewType(
    "FilmExamples", xr.Dataset
)  # simulated films: orders of their reflections, and their texture
TextureExamples = NewType(
    "TextureExamples", xr.Dataset
)  # simulated textures on the modes that all films share
DenoisedMotif = NewType(
    "DenoisedMotif", xr.Dataset
)  # the best motif under a prior over textures, beside the one without
