"""How many episodes MAML computes together, and several such parts at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import torch

from cactus.config.learners import AtOnce

Part = TypeVar("Part")
Result = TypeVar("Result")

# Bytes of the first block's output that are computed together. On a CPU a part has
# to stay in the caches of a core; on a GPU it has to be large enough to keep it busy.
_CPU_BYTES: Final = 2 << 20
_GPU_BYTES: Final = 256 << 20


def chunk_size(
    chosen: AtOnce, tasks: int, block_bytes: int, device: torch.device, threads: int
) -> int:
    """Return the episodes of a part.

    Parameters
    ----------
    chosen
        The configured number, or "auto".
    tasks
        Episodes to be computed.
    block_bytes
        Size of the first block's output for the images of one episode.
    device
        Of the computation.
    threads
        CPU threads: "auto" gives work to each.
    """
    if chosen != "auto":
        return chosen
    if device.type != "cpu":
        return max(1, _GPU_BYTES // block_bytes)
    return min(max(1, _CPU_BYTES // block_bytes), -(-tasks // threads))


class ChunkPool:
    """Threads of the CPU that compute parts side by side, kept from one call to the next.

    New ones would take their memory from the system anew, a tenth of a training step of MAML.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._shares = (0, 0)

    def __deepcopy__(self, memo: dict[int, object]) -> "ChunkPool":
        """Return threads of its own for a copied model."""
        return ChunkPool()

    def map(
        self, function: Callable[[Part], Result], parts: Sequence[Part], device: torch.device
    ) -> list[Result]:
        """Apply a function, which must not track gradients, to parts; results are in their order.

        On a CPU the parts share PyTorch's threads out among them: one thread a part needs no
        barrier within an operation. The numbers do not depend on which part ends first.
        """
        threads = torch.get_num_threads()
        workers = min(threads, len(parts))
        if device.type != "cpu" or workers == 1:
            return [function(part) for part in parts]
        try:
            return list(self._threads(workers, threads // workers).map(function, parts))
        finally:
            torch.set_num_threads(threads)  # what further threads start with

    def _threads(self, workers: int, each: int) -> ThreadPoolExecutor:
        if self._pool is None or self._shares != (workers, each):
            self._pool = ThreadPoolExecutor(
                workers, initializer=torch.set_num_threads, initargs=(each,)
            )
            self._shares = (workers, each)
        return self._pool
