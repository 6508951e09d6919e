"""How many examples a fuzz test tries: a few hundred in `make test`, many thousands in `make fuzz`.

A fuzz test is marked `fuzz` and takes its settings from here::

    @pytest.mark.fuzz
    @examples(300)
    @given(st.binary())
    def test_reader_refuses_or_reads(raw): ...
"""

import os

from hypothesis import HealthCheck, settings

# `make fuzz` sets it: each test tries so many times the examples of `make test`.
FACTOR = int(os.environ.get("CACTUS_FUZZ_FACTOR", "1"))


def examples(count: int) -> settings:
    """Give the settings of a fuzz test; only the long run draws other examples each time."""
    return settings(
        max_examples=count * FACTOR,
        deadline=None,
        derandomize=FACTOR == 1,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
