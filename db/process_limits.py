"""What the kernel holds a process of ours to."""

import os
import resource

_OPEN_FILES = 65_536


def forbid_core_dumps() -> None:
    """A process that dies leaves no image of its memory, which holds texts and keys; so for its children."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def allow_open_files() -> None:
    """Take as many files and connections as the kernel allows us, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limit_memory(max_bytes: int) -> None:
    """Let an allocation beyond `max_bytes` of this process fail; files that are only mapped don't count."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = max_bytes if hard == resource.RLIM_INFINITY else min(max_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))


def physical_memory_bytes() -> int:
    """Memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
