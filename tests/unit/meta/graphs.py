"""A stand-in for CUDA graphs where there is no GPU."""

from collections.abc import Sequence

from torch import Tensor

from cactus.meta.maml.cuda_graph import CapturedGraph, Function


def capture_on_cpu(function: Function, arguments: Sequence[Tensor]) -> CapturedGraph:
    """Replay by calling the function again on the captured arguments, into the same results."""
    own = [argument.clone() for argument in arguments]
    results = function(*own)

    def replay() -> None:
        for result, value in zip(results, function(*own), strict=True):
            result.copy_(value)

    return CapturedGraph(replay, own, results)
