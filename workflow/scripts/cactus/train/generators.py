"""States of random generators, as plain values that a checkpoint can hold."""

from typing import Any

import torch
from torch import Tensor

from cactus.errors import TrainingError


def global_states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of PyTorch's own generators: the CPU's, and that of `device` if a GPU."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_global_states(states: dict[str, Any], device: torch.device) -> None:
    """Take over what `global_states` returned on a device of the same type.

    Raises
    ------
    TrainingError
        The states are of another type of device: its random numbers cannot be continued here.
    """
    there, here = ("cuda" if "cuda" in states else "cpu"), device.type
    if there != here:
        raise TrainingError(
            "A training cannot go on with another type of device.",
            where="the checkpoint of this job",
            got=f"{there} when it was saved, {here} now",
            fix=f"run it on {there}, or delete its folder below work/ to start again",
        )
    torch.set_rng_state(states["cpu"])
    if here == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
