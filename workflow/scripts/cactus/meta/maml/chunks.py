"""Chunks of episodes that MAML computes together, and threads that compute several at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import torch

from cactus.config.sections.learners.maml import AtOnce

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

# Bytes of the first block's output in a chunk. On a CPU a chunk has to fit the caches of a core;
# on a GPU it has to be large enough to keep it busy.
_CPU_BYTES: Final = 2 << 20
_GPU_BYTES: Final = 256 << 20
# Tasks are groups of a convolution, for whose number no kernel of cuDNN is made; not measured.
_GPU_TASKS: Final = 64


def chunk_size(
    chosen: AtOnce, tasks: int, block_bytes: int, device: torch.device, threads: int
) -> int:
    """Return the number of episodes in a chunk.

    Parameters
    ----------
    chosen
        The configured number, or "auto".
    tasks
        Episodes to compute.
    block_bytes
        Size of the first block's output for the images of one episode that are computed together.
    device
        Of the computation.
    threads
        CPU threads; "auto" gives each of them work.
    """
    if chosen != "auto":
        return chosen
    if device.type != "cpu":
        return min(max(1, _GPU_BYTES // block_bytes), _GPU_TASKS)
    return min(max(1, _CPU_BYTES // block_bytes), -(-tasks // threads))


class ChunkPool:
    """CPU threads that compute chunks in parallel, kept from one call to the next.

    New threads would get their memory from the system again, a tenth of a training step of MAML.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._shares = (0, 0)

    def __deepcopy__(self, memo: dict[int, object]) -> "ChunkPool":
        """Return a new pool: a copied model has its own threads."""
        return ChunkPool()

    def map(
        self, function: Callable[[Chunk], Result], chunks: Sequence[Chunk], device: torch.device
    ) -> list[Result]:
        """Apply a function, which must not track gradients, to chunks; return results in order.

        On a CPU the chunks share PyTorch's threads: with one thread per chunk, operations need no
        barriers. Results do not depend on which chunk ends first.
        """
        threads = torch.get_num_threads()
        workers = min(threads, len(chunks))
        if device.type != "cpu" or workers == 1:
            return [function(chunk) for chunk in chunks]
        try:
            return list(self._threads(workers, threads // workers).map(function, chunks))
        finally:
            torch.set_num_threads(threads)  # what further threads start with

    def _threads(self, workers: int, each: int) -> ThreadPoolExecutor:
        if self._pool is None or self._shares != (workers, each):
            self._pool = ThreadPoolExecutor(
                workers, initializer=torch.set_num_threads, initargs=(each,)
            )
            self._shares = (workers, each)
        return self._pool
