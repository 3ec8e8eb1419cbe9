"""What the solver is told of a measurement: the directions of Q."""

import numpy as np
import pytest
from nanotexture.stages.motif_data import field_axes


def test_one_direction_of_q_gives_one_unknown_along_it():
    vectors = np.array([[-1.6, 4.7], [-3.2, 9.4]])
    np.testing.assert_allclose(field_axes(vectors), [vectors[0] / np.linalg.norm(vectors[0])])


@pytest.mark.parametrize("vectors", [[[-1.6, 4.7], [1.6, 4.7]], [[0.0, 3.1], [1.6, 4.7], [0.0, 6.2]]])
def test_two_directions_of_q_give_x_and_z(vectors):
    np.testing.assert_array_equal(field_axes(np.array(vectors)), np.eye(2))


def test_opposite_reflections_are_one_direction():
    assert len(field_axes(np.array([[0.0, 3.1], [0.0, -3.1]]))) == 1
