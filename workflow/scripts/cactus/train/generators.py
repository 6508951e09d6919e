"""States of PyTorch's global random generators, for checkpoints."""

from typing import Any

import torch
from torch import Tensor

from cactus.errors import TrainingError


def global_states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of the global generators: of the CPU, and of `device` if it is a GPU."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_global_states(states: dict[str, Any], device: torch.device) -> None:
    """Restore what `global_states` returned on a device of the same type.

    Raises
    ------
    TrainingError
        The states are from another type of device, which draws other random numbers.
    """
    there, here = ("cuda" if "cuda" in states else "cpu"), device.type
    if there != here:
        raise TrainingError(
            "Training cannot resume on another type of device.",
            where="the checkpoint of this job",
            got=f"saved on {there}, now on {here}",
            fix=f"run it on {there}, or delete its folder in work/ to start over",
        )
    torch.set_rng_state(states["cpu"])
    if here == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
