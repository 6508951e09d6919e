"""The signature of a run's digest, made and checked by OpenSSH's ``ssh-keygen``."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cactus.errors import RecordError
from cactus.files import read_text, write_text
from cactus.provenance.records.links import DIGEST, SEAL

_NAMESPACE: Final = "cactus-run"
_TIMEOUT: Final = 30.0


@dataclass(frozen=True)
class Seal:
    """A signature whose text and key fit together.

    Attributes
    ----------
    digest
        The digest that was signed.
    note
        Who signed it, as far as that can be told.
    """

    digest: str
    note: str


def write_seal(run_folder: Path, digest: str, key: Path) -> Path:
    """Sign a run's digest with an ssh key, and write the signature into the run's folder.

    `key` is a private key, or the public one of a key that the user's ssh agent holds.

    Raises
    ------
    RecordError
        ``ssh-keygen`` is missing, or cannot sign with the key.
    """
    if shutil.which("ssh-keygen") is None:
        raise _no_seal(key, "no program ssh-keygen", "install OpenSSH's client")
    text = f"{digest}\n"
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", _NAMESPACE, "-f", str(key)]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise _no_seal(key, _last_line(done.stderr), "name a key that ssh can use, by --key")
    path = run_folder / SEAL
    path.unlink(missing_ok=True)
    write_text(run_folder / DIGEST, text)
    write_text(path, done.stdout.decode())
    return path


def read_seal(run_folder: Path) -> Seal | None:
    """Read and verify the signature in a run's folder; None if there is none.

    Raises
    ------
    RecordError
        It is damaged, or not a signature of the digest that stands in it.
    """
    path = run_folder / SEAL
    try:
        read_text(path)
        text = read_text(run_folder / DIGEST)
    except (OSError, ValueError) as error:
        if not path.exists() and not path.is_symlink():
            return None
        raise _damaged(path, str(error)) from error
    digest = text.strip()
    if shutil.which("ssh-keygen") is None:
        return Seal(digest, "signed, but there is no ssh-keygen to verify the signature")
    command = ["ssh-keygen", "-Y", "check-novalidate", "-n", _NAMESPACE, "-s", str(path)]
    done = subprocess.run(
        command, input=text.encode(), capture_output=True, timeout=_TIMEOUT, check=False
    )
    if done.returncode:
        raise _damaged(path, _last_line(done.stderr or done.stdout))
    return Seal(digest, f"signed: {_last_line(done.stdout).partition(' with ')[2]}")


def _last_line(output: bytes) -> str:
    return (output.decode(errors="replace").strip().splitlines() or ["no output"])[-1]


def _damaged(path: Path, got: str) -> RecordError:
    return RecordError(
        "The signature of a run does not hold.",
        where=str(path),
        got=got,
        fix="restore it, or sign the run again with `cactus seal`",
    )


def _no_seal(key: Path, got: str, fix: str) -> RecordError:
    return RecordError("The run's digest cannot be signed.", where=str(key), got=got, fix=fix)
