"""What a prior learns from."""

from __future__ import annotations

from nanotexture.schema.variables import Schema, variable

_Q = "particle qx qy qz"

CRYSTAL_EXAMPLES: Schema = {
    "particle": variable("particle", "1", "particle", "Number of the particle.", "i"),
    "amplitude": variable(_Q, "1", "amplitude", "Amplitude over its largest, before anything is counted."),
    "phase": variable(_Q, "rad", "phase", "Phase of the diffraction, the particle's centroid at the origin."),
    "family": variable("particle", "1", "family", "Family of shapes.", "U"),
    "strain": variable("particle", "1", "strain", "Kind of strain field.", "U"),
    "phase_range": variable(
        "particle", "rad", "phase range", "Difference of the smooth field over the particle."
    ),
}

FILM_GUESS: Schema = {
    "coefficients": variable(
        "candidate field wave profile part",
        "1",
        "coefficients",
        "Motifs that the network thinks may be, in the units of film_modes, the one that fits best first.",
    ),
    "first_cost": variable(
        "candidate", "1", "first cost", "Tempered chi2 per point of each before any step."
    ),
    "lean": variable("", "1/angstrom", "lean", "Periods by which they lean for an angstrom of height."),
    "limit": variable(
        "",
        "1",
        "limit",
        "0.95 quantile of the lowest first cost of films which the network never learnt from.",
    ),
    "expected_error": variable(
        "", "1", "expected error", "Relative error of its motifs that the network expects, by their spread."
    ),
    "vague": variable("", "1", "vague", "Expected error above which all starts are random."),
    "followed": variable("", "1", "followed", "1 where half of the starts begin from these motifs.", "i"),
}

FIRST_COSTS: Schema = {
    "film": variable("film", "1", "film", "Number of the film.", "i"),
    "first_cost": variable(
        "film", "1", "first cost", "Tempered chi2 per point of the prior's best motif before any step."
    ),
    "expected_error": variable(
        "film", "1", "expected error", "Relative error of its motifs that the network expects."
    ),
}

_TOKEN = "film token fringe"

FILM_EXAMPLES: Schema = {
    "film": variable("film", "1", "film", "Number of the film.", "i"),
    "family": variable("film", "1", "family", "Kind of texture.", "U"),
    "intensity": variable(
        _TOKEN,
        "1",
        "intensity",
        "Of one order of one reflection, over that of all planes in phase, not counted.",
    ),
    "seen": variable(_TOKEN, "1", "seen", "Non-zero where it can be measured.", "u"),
    "flat": variable(_TOKEN, "1", "flat", "Amplitude of order 0 of the film without texture, with its rod."),
    "about": variable("film token number", "1", "about", "What is known of film and reflection."),
    "reflection": variable("film token", "1", "reflection", "Number of the reflection, -1: no token.", "i"),
    "order": variable("film token", "1", "order", "Number of the order.", "i"),
    "full": variable("film token", "1", "full", "Amplitude of all planes in phase, electrons."),
    "coefficients": variable(
        "film field wave profile part", "1", "coefficients", "The texture, in the units of film_modes."
    ),
}

CRYSTAL_GUESS: Schema = {
    "part": variable("part", "1", "part", "Real or imaginary part.", "U"),
    "density": variable(
        "part x y z", "count^0.5", "density", "Complex density guessed, in the solvers' sign."
    ),
    "support": variable("x y z", "1", "support", "Non-zero where the crystal is guessed to be.", "u"),
    "cost": variable("", "1", "chi2", "chi2 of the guess with an even modulus, before any refinement."),
    "free_cost": variable("", "1", "free chi2", "The same over the held-out voxels."),
    "limit": variable(
        "",
        "1",
        "limit",
        "0.95 quantile of that free chi2 of simulated particles which the network never learnt from, at as many counts.",
    ),
    "spread": variable(
        "",
        "1",
        "spread",
        "Distance of the network's answers to the pattern turned otherwise: 0 alike, 1 unlike.",
    ),
    "spread_limit": variable("", "1", "spread limit", "0.95 quantile of that spread of the same particles."),
    "sure": variable(
        "", "1", "sure limit", "Median free_cost of the same particles: below it any spread is trusted."
    ),
    "trusted": variable(
        "", "1", "trusted", "1 where neither is above its limit, or free_cost not above sure.", "i"
    ),
}

TEXTURE_EXAMPLES: Schema = {
    "texture": variable("texture", "1", "texture", "Number of the texture.", "i"),
    "coefficient": variable(
        "texture field k sign m",
        "1",
        "coefficient",
        "Of u_x and u_z over the period, of P_x and P_z in C/m^2, on harmonics (cos, sin) and Legendre polynomials.",
    ),
    "given": variable("texture field", "1", "given", "1 where the texture has the field.", "i"),
    "told": variable("texture number", "1", "told", "What the network is told of the film."),
    "family": variable("texture", "1", "family", "Family of textures.", "U"),
}
