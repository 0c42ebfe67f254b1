"""Which system calls a child that reads strangers' media never makes: a BPF filter for seccomp, by ctypes alone."""

import ctypes
import platform
import struct
from typing import NamedTuple

_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little-endian
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2

# socket socketpair bind listen accept accept4 connect · ptrace process_vm_readv process_vm_writev · bpf userfaultfd
# perf_event_open · add_key request_key keyctl · unshare setns mount umount2 pivot_root chroot · init_module
# finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff · open_by_handle_at name_to_handle_at ·
# kill tkill rt_sigqueueinfo rt_tgsigqueueinfo · acct settimeofday clock_settime sethostname setdomainname personality
_X86_64 = (
    *(41, 53, 49, 50, 43, 288, 42, 101, 310, 311, 321, 323, 298, 248, 249, 250, 272, 308, 165, 166, 155, 161),
    *(175, 313, 176, 246, 320, 169, 167, 168, 304, 303, 62, 200, 129, 297, 163, 164, 227, 170, 171, 135),
    *(57, 58, 154, 172, 173),  # fork vfork modify_ldt iopl ioperm: there is none of these on arm
)
_AARCH64 = (
    *(198, 199, 200, 201, 202, 242, 203, 117, 270, 271, 280, 282, 241, 217, 218, 219, 97, 268, 40, 39, 41, 51),
    *(105, 273, 106, 104, 294, 142, 224, 225, 265, 264, 129, 130, 138, 240, 89, 170, 112, 161, 162, 92),
)
# io_uring_{setup,enter,register} pidfd_{send_signal,open,getfd} open_tree move_mount fsopen fsconfig fsmount fspick
# mount_setattr: one number on every architecture
_EVERYWHERE = (425, 426, 427, 424, 434, 438, 428, 429, 430, 431, 432, 433, 442)
_CLONE3 = 435


class _Table(NamedTuple):
    architecture: int
    denied: tuple[int, ...]
    execute: tuple[int, ...]
    clone: int
    tgkill: int


_TABLES = {
    "x86_64": _Table(0xC000003E, (*_X86_64, *_EVERYWHERE), (59, 322), 56, 234),
    "aarch64": _Table(0xC00000B7, (*_AARCH64, *_EVERYWHERE), (221, 281), 220, 131),
}
_TABLES["arm64"] = _TABLES["aarch64"]
_TABLES["amd64"] = _TABLES["x86_64"]


def program(*, may_execute: bool, own_pid: int | None, machine: str = "") -> bytes | None:
    """The filter as bytes of `struct sock_filter`, or None on a machine we have no table for.

    Refused calls answer EPERM: no sockets, no new processes (threads are fine), no signals to others, no mounts,
    keys, tracing or modules; `may_execute` leaves execve, `own_pid` is the one process that tgkill may name.
    """
    table = _TABLES.get((machine or platform.machine()).lower())
    if table is None:
        return None
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, table.architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        *_refuse(_AT_LEAST, _X32, _EPERM),  # the x32 numbers would walk around the list
        *_refuse(_EQUAL, _CLONE3, _ENOSYS),  # its flags lie in memory; glibc then falls back to clone
    ]
    for number in (*table.denied, *(() if may_execute else table.execute)):
        steps += _refuse(_EQUAL, number, _EPERM)
    if own_pid is not None:
        steps += _unless(table.tgkill, _EQUAL, own_pid)
    steps += [*_unless(table.clone, _ANY_BIT, _CLONE_THREAD), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _refuse(test: int, number: int, answer: int) -> list[tuple[int, int, int, int]]:
    return [(test, 0, 1, number), (_RETURN, 0, 0, answer)]


def _unless(number: int, test: int, value: int) -> list[tuple[int, int, int, int]]:
    """Refuse the call `number` unless its first argument passes the test."""
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (test, 1, 0, value),
        (_RETURN, 0, 0, _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def install(filter_bytes: bytes) -> None:
    """Put the filter on this thread and all it starts, for good. Raises OSError where the kernel will not."""
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(filter_bytes, len(filter_bytes))
    header = struct.pack("HxxxxxxQ", len(filter_bytes) // 8, ctypes.addressof(held))  # struct sock_fprog
    pointed_at = ctypes.create_string_buffer(header, len(header))
    _prctl(libc, _SET_NO_NEW_PRIVS, 1)
    _prctl(libc, _SET_SECCOMP, _MODE_FILTER, ctypes.addressof(pointed_at))


def _prctl(libc: ctypes.CDLL, option: int, *values: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if libc.prctl(ctypes.c_int(option), *padded):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option} refused")
