"""The part of the configuration that one job reads, as canonical JSON.

A job gets its spec on the command line and nothing else of the configuration, so a key that a
stage does not read cannot change its results or make them stale.
"""

import json
from typing import Self

from cactus.config.base import Settings


class Spec(Settings):
    """What a job of one stage reads."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a spec from the JSON of the command line."""
        return cls.model_validate_json(text)

    def text(self) -> str:
        """Return canonical JSON: sorted keys, no spaces."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False
        )
