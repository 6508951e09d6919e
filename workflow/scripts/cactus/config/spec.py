"""The part of the configuration that a job reads, as canonical JSON."""

import json
from typing import Self

from cactus.config.sections.base import Settings


class Spec(Settings):
    """The part of the configuration that a job of one stage reads.

    A job sees nothing else of the configuration. So a key that its stage does not read can neither
    change its results nor make them stale. Subclasses hold values, no logic.
    """

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a spec from JSON."""
        return cls.model_validate_json(text)

    def text(self) -> str:
        """Return canonical JSON: sorted keys, no spaces."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False
        )
