"""Opens files in many ways in a watched job; prints which were refused, as JSON."""

import concurrent.futures
import ctypes
import io
import json
import mmap
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from PIL import Image

from cactus.errors import ConfigError
from cactus.provenance.execution.lease import Lease
from cactus.provenance.execution.running_job import RunningJob
from cactus.provenance.execution.watch.opened_files import declared_files_only
from cactus.provenance.records.plan import Plan
from cactus.train.stop import StopRequest

SCRIPTS = Path(__file__).parents[4] / "workflow/scripts"
RUN = Path("results/small")
INPUT = "data/mnist/train_images.npy"
SHARED = "/dev/shm/cactus-opening"
CLUSTER = Path("../cluster")
BESIDE = SCRIPTS / "snakemake_logger_plugin_cactus/__init__.py"


def write_files() -> None:
    """Write the files that the cases open."""
    for name in ("mine.npy", "declared.npy", f"results/small/{INPUT}", f"{INPUT}"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        np.save(name, np.zeros(4))
    Path("results/small/data/mnist/train_labels.npy").write_bytes(Path("mine.npy").read_bytes())
    Path("results/small/work").mkdir()
    np.zeros(4).tofile("mine.bin")
    np.savez("mine.npz", a=np.zeros(4))
    Path("mine.csv").write_text("1,2\n")
    torch.save({"a": torch.zeros(4)}, "mine.pt")
    safetensors.torch.save_file({"a": torch.zeros(4)}, "mine.safetensors")
    Image.new("L", (4, 4)).save("mine.png")
    sqlite3.connect("mine.db").execute("create table t (x)").connection.close()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), "mine.ts")
    Path("nets.py").write_text("x = 1\n")
    Path("planned.py").write_text("x = 1\n")
    Path("mine.txt").write_text("1")
    Path("lists").mkdir()
    Path("lists/net.py").write_text("x = 1\n")
    CLUSTER.mkdir()
    library = next(Path(torch.__file__).parent.rglob("libc10.so"))
    for name in ("libown.so", f"{CLUSTER}/libother.so.1"):
        shutil.copy(library, name)
    Path("folder").mkdir()
    Path("lists/deep").mkdir()
    for name in ("folder/a", "lists/deep/a", SHARED):
        Path(name).write_text("1")


@contextmanager
def opened(name: str, *arguments: Any, **keywords: Any) -> Iterator[Any]:
    with open(name, *arguments, **keywords) as file:  # noqa: PTH123 - the function itself
        yield file


def read(name: str, *arguments: Any) -> None:
    with opened(name, *arguments) as file:
        file.read()


def by_descriptor() -> None:
    os.close(os.open("mine.npy", os.O_RDONLY))


def mapped() -> None:
    with opened("mine.npy", "rb") as file:
        mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ).close()


def ignored() -> None:
    with suppress(Exception):
        read("mine.txt")


def wrapped() -> None:
    try:
        read("mine.txt")
    except Exception as error:
        raise ValueError("no vectors") from error


def linked() -> None:
    Path("link").symlink_to("mine.txt")
    Path("link").read_text()


def kept_by_c() -> None:
    """Keep a file mapped that Python did not open."""
    tensor = torch.UntypedStorage.from_file("mine.bin", shared=False, nbytes=8)
    time.sleep(0.6)
    del tensor


def imported() -> None:
    sys.path.append(".")
    __import__("nets")


def own_file() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.txt"
        path.write_text("1")
        path.read_text()


def own_folder() -> None:
    with tempfile.TemporaryDirectory() as folder:
        list(Path(folder).iterdir())


def shared_library(name: str) -> None:
    ctypes.CDLL(name)
    time.sleep(0.5)


def in_work() -> None:
    Path(RUN / "work/mine.txt").write_text("1")
    Path(RUN / "work/mine.txt").read_text()


def in_thread() -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(read, ["mine.txt"]))


def in_pool() -> None:
    """A pool waits forever for an error that cannot be sent."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.map_async(read, ["mine.txt"]).get(60)


class Vectors(torch.utils.data.Dataset[float]):
    def __init__(self, name: str) -> None:
        self.name = name

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> float:
        return float(np.load(self.name)[index])


def loaded(name: str) -> None:
    list(torch.utils.data.DataLoader(Vectors(name), num_workers=2))


def in_child_ignored() -> None:
    child = os.fork()
    if child == 0:
        ignored()
        os._exit(0)
    os.waitpid(child, 0)


def own_shared_memory() -> None:
    path = Path(f"/dev/shm/cactus-own-{os.getpid()}")
    path.write_text("1")
    try:
        path.read_text()
    finally:
        path.unlink()


def missing() -> None:
    with suppress(FileNotFoundError):
        read("missing.txt")


CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "open": (lambda: read("mine.txt"), "mine.txt"),
    "open, in bytes": (lambda: read("mine.txt", "rb"), "mine.txt"),
    "open, to update": (lambda: read("mine.txt", "r+"), "mine.txt"),
    "open, to append and read": (lambda: read("mine.txt", "a+"), "mine.txt"),
    "io.open_code": (lambda: io.open_code(str(Path("mine.txt").absolute())).close(), "mine.txt"),
    "Path.read_bytes": (lambda: Path("mine.txt").read_bytes(), "mine.txt"),
    "a link": (linked, "link"),
    "os.open": (by_descriptor, "mine.npy"),
    "mmap": (mapped, "mine.npy"),
    "np.load": (lambda: np.load("mine.npy"), "mine.npy"),
    "np.load, mapped": (lambda: np.load("mine.npy", mmap_mode="r"), "mine.npy"),
    "np.load of an archive": (lambda: np.load("mine.npz")["a"], "mine.npz"),
    "np.memmap": (lambda: np.memmap("mine.bin"), "mine.bin"),
    "np.fromfile": (lambda: np.fromfile("mine.bin"), "mine.bin"),
    "np.loadtxt": (lambda: np.loadtxt("mine.csv", delimiter=","), "mine.csv"),
    "torch.load": (lambda: torch.load("mine.pt"), "mine.pt"),
    "torch.load, mapped": (lambda: torch.load("mine.pt", mmap=True), "mine.pt"),
    "load_file": (lambda: safetensors.torch.load_file("mine.safetensors"), "mine.safetensors"),
    "safe_open": (lambda: safetensors.safe_open("mine.safetensors", "pt"), "mine.safetensors"),
    "PIL": (lambda: Image.open("mine.png"), "mine.png"),
    "sqlite3": (lambda: sqlite3.connect("mine.db"), "mine.db"),
    "ignored": (ignored, "mine.txt"),
    "another error made of it": (wrapped, "mine.txt"),
    "opened in C": (kept_by_c, "mine.bin"),
    "torch.jit.load": (lambda: torch.jit.load("mine.ts"), "mine.ts"),  # type: ignore[no-untyped-call]
    "in a thread": (in_thread, "mine.txt"),
    "in a forked pool": (in_pool, "mine.txt"),
    "in a loader's process": (lambda: loaded("mine.npy"), "mine.npy"),
    "in a forked process, ignored": (in_child_ignored, "mine.txt"),
    "a program's argument": (lambda: subprocess.run(["cat", "mine.txt"]), "mine.txt"),
    "a program's file": (lambda: subprocess.run([sys.executable, "nets.py"]), "nets.py"),
    "a shell's line": (lambda: os.system("true <mine.txt"), "mine.txt"),
    "a line of Python": (lambda: subprocess.run(["python", "-c", "open('mine.txt')"]), "mine.txt"),
    "a program in a folder": (lambda: subprocess.run(["cat", "a"], cwd="folder"), "a"),
    "shared memory": (lambda: read(SHARED), SHARED),
    "code that is not planned": (imported, "nets.py"),
    "labels": (lambda: read(f"{RUN}/data/mnist/train_labels.npy", "rb"), "train_labels.npy"),
    "an input's namesake": (lambda: read(INPUT, "rb"), INPUT),
    "a declared file": (lambda: np.load("declared.npy"), ""),
    "an input": (lambda: np.load(RUN / INPUT), ""),
    "its code": (lambda: read("planned.py"), ""),
    "a library": (lambda: read(np.__file__), ""),
    "the package": (lambda: read(str(SCRIPTS / "cactus/errors.py")), ""),
    "the system": (lambda: read("/etc/passwd"), ""),
    "memory": (lambda: read("/proc/self/status"), ""),
    "its own temporary file": (own_file, ""),
    "its own work": (in_work, ""),
    "a result to write": (lambda: opened("new.txt", "w").__enter__().close(), ""),
    "its own shared memory": (own_shared_memory, ""),
    "a loader's processes": (lambda: loaded("declared.npy"), ""),
    "a program": (lambda: subprocess.run(["uname", "-a"], stdout=subprocess.DEVNULL), ""),
    "a program with words": (lambda: subprocess.run(["true", "~x", "mine", "a" * 5000, "."]), ""),
    "a missing file": (missing, ""),
    "a shared library of the cluster": (lambda: shared_library(f"{CLUSTER}/libother.so.1"), ""),
    "a shared library of one's own": (lambda: shared_library("./libown.so"), "libown.so"),
    "code beside the package": (lambda: read(str(BESIDE)), BESIDE.name),
    "a module of a folder": (lambda: __import__("lists.net"), "net.py"),
    "os.listdir": (lambda: os.listdir("folder"), "folder"),  # noqa: PTH208
    "os.scandir": (lambda: os.scandir("folder").close(), "folder"),
    "Path.iterdir": (lambda: list(Path("folder").iterdir()), "folder"),
    "Path.rglob": (lambda: list(Path("folder").rglob("*.txt")), "folder"),
    "os.walk": (lambda: list(os.walk("folder")), "folder"),
    "a folder of inputs": (lambda: list((RUN / "data/mnist").iterdir()), ""),
    "a folder of declared files": (lambda: list(Path("lists").rglob("*")), ""),
    "folders of libraries": (lambda: list(Path(np.__file__).parent.glob("*.py")), ""),
    "its own temporary folder": (own_folder, ""),
    "fonts": (lambda: __import__("matplotlib.pyplot").pyplot.figure(), ""),
    "matrices": (lambda: torch.zeros(3, 3) @ torch.zeros(3, 3), ""),
}  # fmt: skip


def outcome(case: Callable[[], Any]) -> str:
    """Return what a case is refused for; empty if it is not."""
    plan = Plan(
        stage="train_embedding", cell="mnist/mine/s0", spec={}, libraries={}, files={},
        code={"planned.py": "", __file__: ""}, declared={"declared.npy": "", "lists/deep/a": ""},
        inputs={INPUT: ""},
    )  # fmt: skip
    job = RunningJob(
        RUN, plan, StopRequest("job"), Lease(RUN, "opening"), {}, datetime.now(UTC), 0.0
    )
    try:
        with declared_files_only(job, "embeddings.custom.mine.files", SCRIPTS):
            case()
    except ConfigError as error:
        return f"{error.where}: {error.got}"
    return ""


if __name__ == "__main__":
    write_files()
    time.sleep(0.05)  # the files are older than the jobs
    try:
        print(json.dumps({name: outcome(case) for name, (case, _) in CASES.items()}))
    finally:
        Path(SHARED).unlink(missing_ok=True)
