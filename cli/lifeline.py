"""A child process that ends with its parent, whatever ends that one.

The parent holds the writing end of the child's standard input. When it exits, be it by SIGKILL, the
system closes that end, the child reads the end of its input and stops as if told to by SIGTERM.
"""

import os
import signal
import sys
import threading


def stop_when_input_ends() -> None:
    """From now on, send this process SIGTERM when its standard input ends."""
    threading.Thread(target=_wait, name="lifeline", daemon=True).start()


def _wait() -> None:
    # The raw file: a buffered reader's lock would still be held when the interpreter shuts down.
    while os.read(sys.stdin.fileno(), 1024):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
