"""A real one-node Slurm, started by hand in its own folder; several can run side by side.

``python -m tests.cluster.slurm`` starts one and opens a shell on it.
"""

import os
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from tests.cluster.daemons import Daemon, free_ports, wait_until
from tests.cluster.database import Accounting

_HERE = Path(__file__).parent
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CLIENTS = ("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo", "sacct", "sacctmgr")
_NULL_DEVICE = os.makedev(1, 3)
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "srun")
Found = TypeVar("Found")


class Job(NamedTuple):
    """A row of squeue."""

    id: str
    name: str
    state: str
    reason: str
    partition: str
    comment: str
    workdir: str

    @property
    def over(self) -> bool:
        """Whether it has ended, in any state."""
        return self.state not in ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED")


class SlurmCluster:
    """A one-node cluster with partitions cpu, gpu, low and lowcancel, and two stand-in GPUs.

    As a context manager, it runs while the block does.

    Parameters
    ----------
    kill_wait
        Seconds between SIGTERM and SIGKILL.
    gpu_model
        Model of the GPUs; empty for GPUs without a model.
    shards
        Shards of each GPU; 0 for GPUs that jobs cannot share.
    accounting
        Whether slurmdbd and MariaDB keep accounts.
    cpus
        CPUs that Slurm is told to have, more than really exist: jobs queue for GPUs, not CPUs.
    """

    def __init__(
        self,
        kill_wait: int = 20,
        gpu_model: str = "",
        shards: int = 0,
        accounting: bool = False,
        cpus: int = 0,
    ) -> None:
        # Directly in /tmp: paths of sockets are limited to 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="cactus-slurm-", dir="/tmp"))
        self.folder.chmod(0o755)  # munged requires that everyone can reach its socket
        self.kill_wait, self.gpu_model, self.shards = kill_wait, gpu_model, shards
        self.cpus = cpus or 4 * (os.cpu_count() or 1)
        self.host = socket.gethostname().split(".")[0]
        self.controller_port, self.node_port = free_ports(2)
        munge = [f"--{name}-file={self.folder}/munge.{name}" for name in ("key", "pid", "seed")]
        munge.append(f"--socket={self.folder}/munge.socket")
        self.munge = self._daemon("munged", "--foreground", "--num-threads=4", *munge)
        self.controller = self._daemon("slurmctld", "-D", "-i")
        self.node = self._daemon("slurmd", "-D", "-N", self.host)
        self.accounting = Accounting(self.folder, self.environment) if accounting else None

    @property
    def configuration(self) -> Path:
        """The file slurm.conf."""
        return self.folder / "slurm.conf"

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which Slurm's commands and jobs use this cluster."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("SLURM_")}
        kept["PATH"] = f"{self.folder}/bin{os.pathsep}{os.environ.get('PATH', '')}:{_SYSTEM_PATH}"
        return {**kept, "SLURM_CONF": str(self.configuration)}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start all daemons and wait until the node accepts jobs."""
        self._write_files()
        self.munge.start()
        self.wait_for(lambda: self.run("munge", "-n", *self._socket, check=False), "munged")
        if self.accounting:
            self.accounting.start()
        self.controller.start()
        self.node.start()
        self.wait_for(lambda: "idle" in self.run("sinfo", "-h", "-o", "%T", check=False), "node")

    def stop(self) -> None:
        """Stop all jobs and daemons that this object started, and remove the folder."""
        if self.controller.runs and self.node.runs:
            queued = [job.id for job in self.jobs() if not job.over]
            if queued:
                # Kill batch scripts and steps at once, without waiting for KillWait.
                self.run("scancel", "--full", "--signal=KILL", *queued, check=False)
                self.run("scancel", *queued, check=False)
            self.wait_for(lambda: all(job.over for job in self.jobs()), "jobs to end", 60)
        for daemon in (self.node, self.controller):
            daemon.stop()
        if self.accounting:
            self.accounting.stop()
        self.munge.stop()
        shutil.rmtree(self.folder)

    def stop_controller(self) -> None:
        """Stop slurmctld, as in an outage; jobs keep running."""
        self.controller.stop()

    def start_controller(self) -> None:
        """Start slurmctld again from its saved state, and wait until it answers."""
        self.controller.start()
        self.wait_for(lambda: "is UP" in self.run("scontrol", "ping", check=False), "controller")

    def run(self, *command: str, check: bool = True, folder: Path | None = None) -> str:
        """Run a command on the cluster; return its output, or "" if it fails unchecked."""
        done = subprocess.run(
            command, env=self.environment, cwd=folder, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout if done.returncode == 0 else ""

    def submit(self, script: str, *options: str, folder: Path | None = None) -> str:
        """Submit a shell command; return the job's id."""
        return self.run("sbatch", "--parsable", *options, "--wrap", script, folder=folder).strip()

    def jobs(self, *options: str) -> list[Job]:
        """Return all jobs of the last hour, including ended ones, in the order of submission."""
        layout = "%i|%j|%T|%r|%P|%k|%Z"
        output = self.run("squeue", "--states=all", "--noheader", f"--format={layout}", *options)
        jobs = [Job(*line.split("|", maxsplit=6)) for line in output.splitlines()]
        return sorted(jobs, key=lambda job: int(job.id.split("_")[0]))

    def job(self, identity: str) -> dict[str, str]:
        """Return everything that scontrol shows about a job."""
        words = self.run("scontrol", "--oneliner", "show", "job", identity).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def wait_for(self, condition: Callable[[], Found], what: str, timeout: float = 60) -> Found:
        """Wait until a condition returns something true, and return that."""
        found: list[Found] = []

        def holds() -> bool:
            for daemon in (self.munge, self.controller, self.node):
                assert not daemon.died, f"{daemon.name} died\n{self.report()}"
            found[:] = [condition()]
            return bool(found[0])

        wait_until(holds, what, timeout, self.report)
        return found[0]

    def wait_for_state(self, identity: str, *states: str, timeout: float = 60) -> str:
        """Wait until a job is in one of the given states; return the state."""
        return self.wait_for(
            lambda: next(
                (state for state in states if state == self.job(identity)["JobState"]), ""
            ),
            f"job {identity} {' or '.join(states)}",
            timeout,
        )

    def start_requeued(self, identity: str) -> None:
        """Start a requeued job without its waiting time."""
        self.run("scontrol", "update", f"JobId={identity}", "StartTime=now")

    def report(self) -> str:
        """Return what helps to find out why something did not happen."""
        parts = [self.run("sinfo", check=False), self.run("squeue", "--states=all", check=False)]
        for log in sorted(self.folder.glob("*.log")):
            parts += [f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-15:]]
        return "\n".join(parts)

    @property
    def _socket(self) -> tuple[str, str]:
        return "--socket", f"{self.folder}/munge.socket"

    def _daemon(self, program: str, *arguments: str) -> Daemon:
        path = shutil.which(program, path=_SYSTEM_PATH) or program
        return Daemon([path, *arguments], self.folder / f"{program}.log", self.environment)

    def _write_files(self) -> None:
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(0o400)
        key.write_bytes(secrets.token_bytes(128))
        devices = [self.folder / f"gpu{number}" for number in range(2)]
        for device in devices:  # for plain files, Slurm sets no CUDA_VISIBLE_DEVICES
            os.mknod(device, stat.S_IFCHR | 0o666, _NULL_DEVICE)
        kind = f" Type={self.gpu_model}" if self.gpu_model else ""
        gres = f"NodeName={self.host} Name=gpu{kind} File={self.folder}/gpu[0-1]\n"
        if self.shards:
            gres += f"NodeName={self.host} Name=shard Count={2 * self.shards}\n"
        (self.folder / "gres.conf").write_text(gres)
        words = {
            "HOST": self.host,
            "FOLDER": str(self.folder),
            "CONTROLLER_PORT": str(self.controller_port),
            "NODE_PORT": str(self.node_port),
            "KILL_WAIT": str(self.kill_wait),
            "CPUS": str(self.cpus),
            "MEMORY": str(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20),
            "GPU_MODEL": f"{self.gpu_model}:" if self.gpu_model else "",
            "SHARD_TYPE": ",shard" if self.shards else "",
            "SHARDS": f",shard:{2 * self.shards}" if self.shards else "",
            "ACCOUNTING": self.accounting.settings if self.accounting else "",
        }
        text = (_HERE / "slurm.conf.in").read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        self.configuration.write_text(text)
        self._write_clients()

    def _write_clients(self) -> None:
        """Wrap Slurm's commands, because the plugin drops SLURM_CONF between a job and its step."""
        for name in _CLIENTS:
            real = shutil.which(name, path=_SYSTEM_PATH)
            if real:
                client = self.folder / "bin" / name
                client.write_text(f'#!/bin/sh\nSLURM_CONF={self.configuration} exec {real} "$@"\n')
                client.chmod(0o755)


def missing() -> str:
    """Return why no cluster can start here; empty if one can."""
    if os.geteuid() != 0:
        return "only root can start a test cluster"
    absent = [name for name in PROGRAMS if not shutil.which(name, path=_SYSTEM_PATH)]
    if absent:
        return f"Slurm is not installed: no {', '.join(absent)}; run `make cluster-tools`"
    return ""


def _shell() -> None:
    with SlurmCluster(accounting="--accounting" in sys.argv) as cluster:
        started = time.strftime("%H:%M:%S")
        print(f"Slurm since {started} in {cluster.folder}; it stops when this shell ends.")
        subprocess.run([os.environ.get("SHELL", "/bin/sh")], env=cluster.environment, check=False)


if __name__ == "__main__":
    if reason := missing():
        sys.exit(reason)
    _shell()
