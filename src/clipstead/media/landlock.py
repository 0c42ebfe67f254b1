"""Which files a child may touch at all: Landlock (Linux 5.13 and later) by ctypes alone; it needs no privilege."""

import ctypes
import functools
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # one number on every architecture
_VERSION, _PATH_BENEATH = 1, 1
_SET_NO_NEW_PRIVS = 38

EXECUTE = 1 << 0
WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
MAKE_DIR, MAKE_REG, TRUNCATE = 1 << 7, 1 << 8, 1 << 14
READ = READ_FILE | READ_DIR
# Not among them: making links, sockets, pipes and devices.
OWN_FOLDER = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | TRUNCATE
_OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE


def version() -> int:
    """The kernel's Landlock ABI; 0 where there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    found: int = libc.syscall(ctypes.c_long(_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    return max(found, 0)


def restrict(rules: Iterable[tuple[str, int]], abi: int) -> None:
    """Confine this process for good to `rules`, pairs of path and rights; paths that do not exist are passed over.

    From ABI 4 on no TCP port may be bound or dialled, from 6 on no process outside may be signalled. Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    handled = _handled(abi)
    ruleset = _call(libc, _CREATE, *_sized(_attributes(handled, abi)), ctypes.c_uint32(0))
    try:
        for path, rights in rules:
            _allow(libc, ruleset, path, rights & handled)
        if libc.prctl(ctypes.c_int(_SET_NO_NEW_PRIVS), *map(ctypes.c_ulong, (1, 0, 0, 0))):
            raise OSError(ctypes.get_errno(), "no_new_privs refused")
        _call(libc, _RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _handled(abi: int) -> int:
    """Every right this kernel can withhold: 13 in the first version, then REFER, TRUNCATE, IOCTL_DEV."""
    bits = 13 + (abi >= 2) + (abi >= 3)
    return (1 << bits) - 1 | (1 << 15 if abi >= 5 else 0)


def _attributes(handled: int, abi: int) -> bytes:
    network = 3 if abi >= 4 else 0
    scopes = 3 if abi >= 6 else 0  # abstract Unix sockets, signals
    values = (handled, network, scopes)
    return struct.pack(f"={1 + (abi >= 4) + (abi >= 6)}Q", *values[: 1 + (abi >= 4) + (abi >= 6)])


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_A_FILE
        rule = struct.pack("=Qi", rights, descriptor)
        held = ctypes.create_string_buffer(rule, len(rule))
        _call(libc, _ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), held, ctypes.c_uint32(0))
    finally:
        os.close(descriptor)


def _sized(data: bytes) -> tuple[object, object]:
    return ctypes.create_string_buffer(data, len(data)), ctypes.c_size_t(len(data))


def _call(libc: ctypes.CDLL, number: int, *arguments: object) -> int:
    answer: int = libc.syscall(ctypes.c_long(number), *arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"landlock call {number} refused")
    return answer


@functools.cache
def system_paths() -> list[str]:
    """What any program reads to start: libraries, the loader's cache, the number of processors, random bytes."""
    names = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/alternatives")
    others = ("/nix/store", "/gnu/store", "/dev/urandom", "/dev/random", "/proc/cpuinfo", "/sys/devices/system/cpu")
    return [name for name in (*names, *others) if Path(name).exists()]


@functools.cache
def interpreters() -> list[str]:
    """The dynamic loaders, which the kernel executes on a program's behalf."""
    found = {str(path.resolve()) for folder in ("/lib", "/lib64") for path in Path(folder).glob("ld-*.so*")}
    return sorted(found)
