"""Accounting for a test cluster: MariaDB on a socket, and slurmdbd."""

import shutil
import socket
import subprocess
from pathlib import Path

from tests.cluster.daemons import Daemon, free_ports, wait_until

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb", "slurmdbd")


class Accounting:
    """MariaDB and slurmdbd in a cluster's folder.

    Parameters
    ----------
    folder
        The cluster's folder.
    environment
        The cluster's environment.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        (self.port,) = free_ports(1)
        # slurmdbd has no setting for the socket; MariaDB's library reads it from the environment.
        socket_path = {"MYSQL_UNIX_PORT": str(self.socket)}
        self.database = Daemon(
            [_program("mariadbd"), *self._options, "--skip-networking", f"--socket={self.socket}"],
            folder / "mariadbd.log",
            environment,
        )
        self.keeper = Daemon(
            [_program("slurmdbd"), "-D"], folder / "slurmdbd.log", {**environment, **socket_path}
        )

    @property
    def socket(self) -> Path:
        """MariaDB's socket."""
        return self.folder / "mariadb.socket"

    @property
    def settings(self) -> str:
        """Lines for slurm.conf."""
        return "\n".join(
            (
                "AccountingStorageType=accounting_storage/slurmdbd",
                f"AccountingStorageHost={socket.gethostname()}",
                f"AccountingStoragePort={self.port}",
                f"AccountingStoragePass={self.folder}/munge.socket",
                "AccountingStorageEnforce=associations",
                "AccountingStorageTRES=gres/gpu",
            )
        )

    def start(self) -> None:
        """Create a database, start both daemons, and add the account `research` for root."""
        (self.folder / "database").mkdir()
        install = [_program("mariadb-install-db"), *self._options, "--skip-test-db"]
        subprocess.run(install, check=True, capture_output=True)
        self.database.start()
        wait_until(lambda: self._sql("SELECT 1"), "MariaDB answers", 60)
        assert self._sql("CREATE USER slurm@localhost; GRANT ALL ON accounts.* TO slurm@localhost")
        self._write_configuration()
        self.keeper.start()
        # The first call creates the tables.
        wait_until(lambda: self._manage("list", "cluster"), "slurmdbd answers", 60)
        for thing in ("cluster cactus", "account research", "user root account=research"):
            assert self._manage("add", *thing.split()), thing

    def stop(self) -> None:
        """Stop slurmdbd, then MariaDB."""
        self.keeper.stop()
        self.database.stop()

    @property
    def _options(self) -> tuple[str, ...]:
        return "--no-defaults", f"--datadir={self.folder}/database", "--user=root"

    def _sql(self, statement: str) -> bool:
        command = [_program("mariadb"), "--no-defaults", f"--socket={self.socket}", "-e", statement]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _manage(self, *words: str) -> bool:
        command = [_program("sacctmgr"), "-i", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        return done.returncode == 0

    def _write_configuration(self) -> None:
        lines = {
            "DbdHost": "localhost",
            "DbdAddr": "127.0.0.1",
            "DbdPort": self.port,
            "SlurmUser": "root",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={self.folder}/munge.socket",
            "StorageType": "accounting_storage/mysql",
            "StorageHost": "localhost",
            "StorageUser": "slurm",
            "StorageLoc": "accounts",
            "PidFile": self.folder / "slurmdbd.pid",
            "DebugLevel": "info",
            # Listen on the address of the host's name only, not on all addresses.
            "CommunicationParameters": "NoInAddrAny",
        }
        path = self.folder / "slurmdbd.conf"
        path.touch(0o600)
        path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))


def missing() -> str:
    """Return why accounting is not available here; empty if it is."""
    absent = [name for name in PROGRAMS if not shutil.which(name, path=_PATH)]
    return f"no {', '.join(absent)}; run `make accounting-tools`" if absent else ""


def _program(name: str) -> str:
    return shutil.which(name, path=_PATH) or name
