import pytest

from cactus.errors import did_you_mean


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("omniglott", "did you mean 'omniglot'?"),
        ("MNIST", "use one of them"),
        ("", "use one of them"),
    ],
)
def test_an_unknown_name_gets_the_most_similar_known_one(name: str, advice: str):
    assert did_you_mean(name, ("mnist", "omniglot"), "use one of them") == advice


def test_without_a_similar_name_there_is_no_advice_by_default():
    assert did_you_mean("celeba", []) == ""
