"""A real Slurm of three nodes on this machine, each of which can die, hang and come back.

A node is a slurmd with a port, a spool folder, a host name (UTS namespace) and mounts (mount
namespace) of its own. All nodes and the head share this machine's network and files.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from typing_extensions import override

from cactus.files import write_text
from tests.cluster.daemons import Daemon, free_ports, wait_until
from tests.cluster.slurm import SlurmCluster, missing

NAMES = ("node1", "node2", "node3")
# Seconds of silence after which Slurm gives a node up.
_SLURMD_TIMEOUT = 15
_WRONG_CLOCK = Path(__file__).parent / "wrong_clock"
_HOSTS = "127.0.0.1 localhost\n" + "".join(f"127.0.0.1 {name}\n" for name in NAMES)
# Sets variables of the jobs of one node.
_TASK_PROLOG = """#!/bin/sh
if [ -f "{folder}/environment.$SLURMD_NODENAME" ]; then
  while read -r line; do eval "echo export $line"; done < "{folder}/environment.$SLURMD_NODENAME"
fi
"""
# Refuses what a site's MaxSubmitJobs would refuse, with the same error of Slurm.
_JOB_SUBMIT = """
local ESLURM_ACCOUNTING_POLICY = 2050
local accepted = {{}}  -- times of submissions: a job of this second is not in slurm.jobs yet
function slurm_job_submit(request, partitions, uid)
  local file = io.open("{folder}/submit_limit")
  if file == nil then return slurm.SUCCESS end
  local limit, queued = file:read("*n"), 0
  file:close()
  for _, job in pairs(slurm.jobs) do
    local state = job.job_state % 256
    if state == 0 or state == 1 then queued = queued + 1 end
  end
  local new = 0
  for _, moment in ipairs(accepted) do
    if os.time() - moment < 3 then new = new + 1 end
  end
  if math.max(queued, new) >= limit then return ESLURM_ACCOUNTING_POLICY end
  -- Jobs of Snakemake have a comment; what --test-only asks about has none.
  if request.comment ~= nil then table.insert(accepted, os.time()) end
  return slurm.SUCCESS
end
function slurm_job_modify() return slurm.SUCCESS end
return slurm.SUCCESS
"""


class Node(Daemon):
    """One node, until it is killed.

    Parameters
    ----------
    name
        Its name in Slurm and its host name.
    folder
        Folder of the cluster.
    environment
        Of slurmd.
    """

    def __init__(self, host: str, folder: Path, environment: dict[str, str]) -> None:
        slurmd = shutil.which("slurmd", path=environment["PATH"])
        start = (
            f'hostname {host}; mount --bind {folder}/hosts /etc/hosts; exec "{slurmd}" -D -N {host}'
        )
        command = ["/usr/bin/unshare", "--uts", "--mount", "/bin/sh", "-c", start]
        super().__init__(command, folder / f"slurmd-{host}.log", environment)
        self.host = host

    @property
    @override
    def name(self) -> str:
        return "slurmd"

    def processes(self, *parts: str) -> list[int]:
        """Return all of its processes, or those whose command contains one of the parts."""
        mine = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().decode(errors="replace")
                here = (folder / "ns/uts").readlink() == self._namespace
                if here and any(part in words for part in parts or [""]):
                    mine.append(int(folder.name))
            except OSError:
                continue  # it has ended
        return mine

    def freeze(self) -> None:
        """Stop slurmd, step daemons and jobs at once, as a node that swaps does."""
        frozen: set[int] = set()
        while more := set(self.processes()) - frozen:  # a process may have started another
            _send(more, signal.SIGSTOP)
            frozen |= more

    def thaw(self, *parts: str) -> None:
        """Let its processes, or those whose command contains one of the parts, go on."""
        _send(self.processes(*parts), signal.SIGCONT)

    def die(self) -> None:
        """Kill all of its processes at once, as a loss of power does."""
        assert self.process is not None
        self.freeze()
        _send(self.processes(), signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not self.processes(), f"the end of {self.host}", 30)
        self.process = None

    def enter(self, *command: str) -> list[str]:
        """Return a command that runs with the mounts of this node."""
        assert self.process is not None
        return ["/usr/bin/nsenter", "--mount", f"--target={self.process.pid}", *command]

    @property
    def _namespace(self) -> Path:
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/ns/uts").readlink()


class NodesCluster(SlurmCluster):
    """Three nodes with four CPUs each, and a partition that places jobs on the emptiest node."""

    def __init__(self) -> None:
        super().__init__(cpus=4)
        self.nodes = {name: Node(name, self.folder, self.environment) for name in NAMES}
        self.node, *self._others = self.nodes.values()

    @override
    def start(self) -> None:
        super().start()
        for node in self._others:
            node.start()
        for name in NAMES:
            self.wait_for_node(name, "idle")

    @override
    def stop(self) -> None:
        for node in self.nodes.values():
            if node.runs:
                node.thaw()
            else:
                node.process = None
        super().stop()
        for node in self._others:
            node.stop()

    def wait_for_node(self, name: str, state: str, timeout: float = 60) -> None:
        """Wait until Slurm shows a node in a state."""
        self.wait_for(
            lambda: self.run("sinfo", "-h", "-n", name, "-o", "%T").strip().startswith(state),
            f"{name} {state}",
            timeout,
        )

    def host_of(self, job: str) -> Node:
        """Return the node on which a job runs."""
        return self.nodes[self.job(job)["NodeList"]]

    def move(self, job: str) -> None:
        """Drain the node of a job, requeue the job, and wait until it runs on another node."""
        update = ("scontrol", "update", f"NodeName={self.host_of(job).host}")
        self.run(*update, "State=DRAIN", "Reason=test")
        self.run("scontrol", "requeue", job)
        self.wait_for_state(job, "PENDING")
        self.start_requeued(job)
        self.wait_for_state(job, "RUNNING")
        self.run(*update, "State=RESUME")

    @contextmanager
    def job_environment(self, **variables: dict[str, str]) -> Iterator[None]:
        """Set variables of all jobs that start on the given nodes."""
        with ExitStack() as stack:
            for name, values in variables.items():
                path = self.folder / f"environment.{name}"
                path.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
                stack.callback(path.unlink)
            yield

    def set_clock(self, name: str, hours: int) -> None:
        """Set the clock of `clock_of`, also for jobs that run already."""
        write_text(self.folder / f"clock.{name}", f"{3600 * hours}")

    def clock_of(self, name: str, path: str = "$PYTHONPATH") -> dict[str, str]:
        """Return the variables that give Python the clock of a node, wrong by some hours."""
        file = self.folder / f"clock.{name}"
        return {"WRONG_CLOCK": str(file), "PYTHONPATH": f"{_WRONG_CLOCK}:{path}"}

    @contextmanager
    def submit_limit(self, jobs: int) -> Iterator[None]:
        """Refuse submissions while so many jobs are queued or running."""
        path = self.folder / "submit_limit"
        path.write_text(f"{jobs}\n")
        yield
        path.unlink()

    @contextmanager
    def late_files(self, folder: Path, seconds: int) -> Iterator[Path]:
        """Share a folder whose files show up late on other hosts, through a FUSE file system.

        The head and each node mount it by themselves. Their kernels cache for some seconds which
        files exist and which do not, as the NFS client does.
        """
        shared = folder.with_name(f"{folder.name}-shared")
        shared.mkdir()
        cached = [f"{kind}_timeout={seconds}" for kind in ("attr", "entry", "negative")]
        mount = ["bindfs", "-f", "-o", ",".join(cached), str(folder), str(shared)]
        with ExitStack() as stack:
            for enter in (_here, *(node.enter for node in self.nodes.values())):
                stack.enter_context(_mounted(enter, mount, shared))
            yield shared

    @override
    def _write_files(self) -> None:
        super()._write_files()
        folder, ports = self.folder, free_ports(len(NAMES))
        (folder / "gres.conf").write_text("")
        (folder / "hosts").write_text(_HOSTS)
        (folder / "job_submit.lua").write_text(_JOB_SUBMIT.format(folder=folder))
        prolog = folder / "task_prolog"
        prolog.write_text(_TASK_PROLOG.format(folder=folder))
        prolog.chmod(0o755)
        for name in NAMES:
            (folder / f"spool-{name}").mkdir()
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        lines = {
            "SlurmdPort": "",
            "SlurmdSpoolDir": f"SlurmdSpoolDir={folder}/spool-%n",
            "SlurmdPidFile": f"SlurmdPidFile={folder}/slurmd-%n.pid",
            "SlurmdTimeout": f"SlurmdTimeout={_SLURMD_TIMEOUT}",
            "TaskPlugin": f"TaskPlugin=task/none\nTaskProlog={prolog}\nJobSubmitPlugins=lua",
            "PartitionName=cpu": "PartitionName=cpu Default=YES LLN=YES",
            "NodeName": "".join(
                f"NodeName={name} NodeHostname={name} NodeAddr=127.0.0.1 Port={port} "
                f"CPUs={self.cpus} RealMemory={memory} State=UNKNOWN\n"
                for name, port in zip(NAMES, ports, strict=True)
            ),
        }
        text = self.configuration.read_text()
        for start, line in lines.items():
            text, count = re.subn(rf"(?m)^{start}\b.*$", line.replace("\\", r"\\"), text)
            assert count == 1, start
        self.configuration.write_text(text)


def missing_tools() -> str:
    """Return why no cluster of several nodes can start here; empty if one can."""
    tool = "" if shutil.which("bindfs") else "bindfs is not installed: run `make cluster-tools`"
    return missing() or tool


def _here(*command: str) -> list[str]:
    return list(command)


@contextmanager
def _mounted(enter: Callable[..., list[str]], mount: list[str], folder: Path) -> Iterator[None]:
    process = subprocess.Popen(enter(*mount))
    try:
        test = enter("mountpoint", "-q", str(folder))
        wait_until(
            lambda: subprocess.run(test, check=False).returncode == 0, f"a mount of {folder}", 30
        )
        yield
    finally:
        process.terminate()  # it unmounts the folder
        process.wait()


def _send(processes: set[int] | list[int], number: signal.Signals) -> None:
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue
