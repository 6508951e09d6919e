"""The words that columns may hold."""

from typing import Final, Literal, get_args

Verdict = Literal["reproduced", "above", "below", "compared", "not at hand", "not in the paper"]
VERDICTS: Final[tuple[str, ...]] = get_args(Verdict)
# How certain a published number is.
STATUSES: Final = ("verified", "recalled", "unavailable")
