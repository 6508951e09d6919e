"""How many episodes MAML computes together, and several such parts at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import torch

from cactus.config.learners import AtOnce

Part = TypeVar("Part")
Result = TypeVar("Result")

# Bytes of the first block's output on the support that are computed together. On a CPU a part has
# to stay in the caches of a core; on a GPU it has to be large enough to keep it busy.
_CPU_BYTES: Final = 2 << 20
_GPU_BYTES: Final = 256 << 20


def part_size(
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
        Size of the first block's output for the support of one episode.
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


def map_parts(
    function: Callable[[Part], Result], parts: Sequence[Part], device: torch.device
) -> list[Result]:
    """Apply a function, which must not track gradients, to parts; results are in their order.

    On a CPU the parts share the threads out among them: one thread a part needs no barrier within
    an operation. The numbers do not depend on which part ends first.
    """
    threads = torch.get_num_threads()
    workers = min(threads, len(parts))
    if device.type != "cpu" or workers == 1:
        return [function(part) for part in parts]
    # New threads take the number from here; the calling thread only waits.
    torch.set_num_threads(threads // workers)
    try:
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(function, parts))
    finally:
        torch.set_num_threads(threads)
