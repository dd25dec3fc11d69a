"""The process that the processes of attempts are forked from: ``python -P -m worker.template worker.child``.

It imports what a kind of experiment needs when the first of that kind comes, so that only that one waits for
the imports. It computes nothing itself: when it forks no GPU is open in it, and only idle threads of
libraries that are prepared for a fork run. Its standard input is a socket, whose other end the worker holds
(`worker.process`); it ends with the worker.
"""

import gc
import importlib
import json
import os
import socket
import sys
from contextlib import suppress

import setproctitle

_LONGEST_ORDER = 4096


def main() -> int:
    """Do as ordered until the worker is gone; returns the exit status of this process or of a fork.

    An order brings the writing end of a pipe for its answer, a number. ``{"start": kind}`` also brings the
    standard input of the process to be forked, whose number is the answer; ``{"collect": pid}`` waits for the
    end of that process and is answered with its exit status.
    """
    setproctitle.setproctitle(f"sip template of {sys.argv[1]}")
    child = importlib.import_module(sys.argv[1])
    orders = socket.socket(fileno=os.dup(0))
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, _LONGEST_ORDER, maxfds=2)
        if not message:
            return 0
        order, answer = json.loads(message), descriptors[0]
        if "collect" in order:
            _, status = os.waitpid(order["collect"], 0)
            number = os.waitstatus_to_exitcode(status)
        else:
            stdin = descriptors[1]
            # what can't be imported the attempt meets again, and writes down as its failure
            with suppress(Exception):
                child.find_job(order["start"])
            number = _fork()
            if number == 0:
                orders.close()
                os.close(answer)
                os.dup2(stdin, 0)
                os.close(stdin)
                return int(child.main())
            os.close(stdin)
        os.write(answer, str(number).encode())
        os.close(answer)


def _fork() -> int:
    """Fork; returns when the new process is in a session of its own and can be killed with all it starts."""
    ready, is_ready = os.pipe()
    gc.freeze()  # what is imported isn't looked through, nor copied, by any fork
    pid = os.fork()
    if pid == 0:
        os.close(ready)
        os.setsid()
        os.close(is_ready)
        return 0
    os.close(is_ready)
    os.read(ready, 1)  # ends when the other end is closed: there, or by that process's end
    os.close(ready)
    return pid


if __name__ == "__main__":
    sys.exit(main())
