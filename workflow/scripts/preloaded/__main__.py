"""Run a script in a fork: ``python workflow/scripts/preloaded LIBRARIES SCRIPT ...``."""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback of this process

import os
import sys

if __name__ == "__main__":
    # Python puts this folder first on the path, where a script has its own.
    sys.path[0] = os.path.dirname(sys.path[0])  # noqa: PTH120

from preloaded.client import main

main(sys.argv[1], sys.argv[2:])
