"""CUDA graphs: a function's kernel launches, captured once and replayed by a single launch."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

Function = Callable[..., list[Tensor]]


class CapturedGraph(NamedTuple):
    """A captured function, and the tensors that a replay reads and writes."""

    replay: Callable[[], None]
    arguments: list[Tensor]
    results: list[Tensor]


def capture(function: Function, arguments: Sequence[Tensor]) -> CapturedGraph:
    """Capture a function of tensors on a GPU as a CUDA graph.

    Parameters
    ----------
    function
        It launches the same kernels for all arguments of these shapes, never waits for them, and
        has no side effects. Other tensors that it reads must keep their addresses.
    arguments
        Examples.
    """
    own = [argument.clone() for argument in arguments]
    # Libraries initialize at their first call, which must not be captured.
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        function(*own)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = function(*own)
    return CapturedGraph(graph.replay, own, results)


class GraphedFunction:
    """A function that is captured at its first call with arguments of some shapes, then replayed.

    Parameters
    ----------
    function
        See `capture`.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        self._graphs: dict[tuple[torch.Size, ...], CapturedGraph] = {}

    def __call__(self, *arguments: Tensor) -> list[Tensor]:
        """Return the function's results, which later calls do not overwrite."""
        shapes = tuple(argument.shape for argument in arguments)
        if shapes not in self._graphs:
            self._graphs[shapes] = capture(self._function, arguments)
        graph = self._graphs[shapes]
        for own, argument in zip(graph.arguments, arguments, strict=True):
            own.copy_(argument)
        graph.replay()
        return [result.clone() for result in graph.results]
