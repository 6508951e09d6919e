"""CUDA graphs: a function's launches, recorded once and replayed by a single one."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

Function = Callable[..., list[Tensor]]


class Recording(NamedTuple):
    """What replays a function, and the tensors that it then reads and writes."""

    replay: Callable[[], None]
    arguments: list[Tensor]
    results: list[Tensor]


def record(function: Function, arguments: Sequence[Tensor]) -> Recording:
    """Record a function of tensors on a GPU as a CUDA graph.

    Parameters
    ----------
    function
        It launches the same kernels for all arguments of these shapes, waits for none of them,
        and has no effects. Other tensors that it reads have to stay where they are.
    arguments
        Examples.
    """
    own = [argument.clone() for argument in arguments]
    # Libraries set themselves up at their first call, which must not be recorded.
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        function(*own)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = function(*own)
    return Recording(graph.replay, own, results)


class Replayed:
    """A function that is recorded at its first call with arguments of some shapes, then replayed.

    Parameters
    ----------
    function
        See `record`.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        self._recordings: dict[tuple[torch.Size, ...], Recording] = {}

    def __call__(self, *arguments: Tensor) -> list[Tensor]:
        """Return the function's results, which later calls leave alone."""
        shapes = tuple(argument.shape for argument in arguments)
        if shapes not in self._recordings:
            self._recordings[shapes] = record(self._function, arguments)
        recording = self._recordings[shapes]
        for own, argument in zip(recording.arguments, arguments, strict=True):
            own.copy_(argument)
        recording.replay()
        return [result.clone() for result in recording.results]
