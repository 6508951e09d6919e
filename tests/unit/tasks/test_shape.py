import numpy as np
import pytest

from cactus.errors import EpisodeError
from cactus.tasks.shape import EpisodeShape, check_episodes, check_pools


def test_images_per_class_are_support_and_query():
    assert EpisodeShape(20, 1, 15).per_class == 16


@pytest.mark.parametrize("sizes", [(0, 1, 5), (5, 0, 5), (5, 1, 0), (5, -1, 5)])
def test_empty_episode_is_refused(sizes):
    with pytest.raises(EpisodeError) as error:
        EpisodeShape(*sizes)
    assert f"way {sizes[0]}" in error.value.got


def test_classes_of_exactly_the_needed_size_are_enough():
    check_episodes(np.array([6, 0, 7, 6]), EpisodeShape(3, 1, 5), "here")


def test_unused_ids_do_not_count_as_classes():
    with pytest.raises(EpisodeError, match="4-way") as error:
        check_episodes(np.array([6, 0, 7, 6]), EpisodeShape(4, 1, 5), "partition 2 of 9")
    assert error.value.where == "partition 2 of 9"
    assert error.value.got == "3 classes with images"


def test_small_classes_are_named_with_their_counts():
    with pytest.raises(EpisodeError, match="need 6 images") as error:
        check_episodes(np.array([9, 5, 0, 1]), EpisodeShape(2, 1, 5), "here")
    assert error.value.got == "class 1: 5 images, class 3: 1 images"


def test_a_long_list_of_small_classes_is_cut():
    with pytest.raises(EpisodeError) as error:
        check_episodes(np.full(12, 2), EpisodeShape(2, 1, 5), "here")
    assert error.value.got.endswith("class 4: 2 images and 7 more classes")


def test_pools_need_both_sides():
    shape = EpisodeShape(2, 1, 5)
    check_pools(np.array([[6, 9], [8, 6]]), shape)
    with pytest.raises(EpisodeError, match="6 images on both sides") as error:
        check_pools(np.array([[6, 9], [8, 5]]), shape)
    assert error.value.got == "a pool with a side of 5 images"


def test_no_pool_at_all_is_refused():
    with pytest.raises(EpisodeError) as error:
        check_pools(np.empty((0, 2), np.int64), EpisodeShape(2, 1, 5))
    assert error.value.got == "no pool"


def test_pools_have_two_classes():
    with pytest.raises(EpisodeError, match="two classes"):
        check_pools(np.array([[9, 9]]), EpisodeShape(3, 1, 5))
