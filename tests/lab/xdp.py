"""
Attaches an XDP program that drops TCP over IPv4 to an interface: ``python xdp.py INTERFACE``; runs in its namespace.

No compiler is needed: the program is thirteen instructions (linux/bpf.h), attached by rtnetlink (IFLA_XDP), in the
kernel's generic mode, which every interface has.
"""

import ctypes
import os
import socket
import struct
import sys

SYS_BPF, PROG_LOAD, PROG_TYPE_XDP = 321, 5, 6
"""x86-64's number of bpf(2)."""
RTM_SETLINK, NLM_REQUEST_ACK, NLA_F_NESTED = 19, 5, 0x8000
IFLA_XDP, IFLA_XDP_FD, IFLA_XDP_FLAGS, SKB_MODE = 43, 1, 3, 2
NAME = b"drop_tcp"
DROP, PASS = 1, 2


def _instruction(code: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> bytes:
    return struct.pack("<BBhi", code, src << 4 | dst, off, imm)


PROGRAM = b"".join((
    _instruction(0x61, 2, 1, 0),  # r2 = data
    _instruction(0x61, 3, 1, 4),  # r3 = data_end
    _instruction(0xBF, 4, 2),
    _instruction(0x07, 4, imm=24),
    _instruction(0x2D, 4, 3, 6),  # shorter than 24 bytes: pass
    _instruction(0x69, 5, 2, 12),
    _instruction(0x55, 5, off=4, imm=0x0008),  # no IPv4: pass
    _instruction(0x71, 5, 2, 23),
    _instruction(0x55, 5, off=2, imm=6),  # no TCP: pass
    _instruction(0xB7, 0, imm=DROP),
    _instruction(0x95),
    _instruction(0xB7, 0, imm=PASS),
    _instruction(0x95),
))  # fmt: skip


def load() -> int:
    """
    Load the program, and return its descriptor.

    Raises:
        OSError: the kernel does not take it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    code, licence = ctypes.create_string_buffer(PROGRAM, len(PROGRAM)), ctypes.create_string_buffer(b"GPL")
    ends = ctypes.addressof(code), ctypes.addressof(licence)
    attributes = struct.pack("<IIQQIIQII16s", PROG_TYPE_XDP, len(PROGRAM) // 8, *ends, 0, 0, 0, 0, 0, NAME)
    fd: int = libc.syscall(SYS_BPF, PROG_LOAD, ctypes.create_string_buffer(attributes, 128), 128)
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def attach(interface: str, fd: int) -> None:
    """
    Let a program take what comes in at an interface.

    Raises:
        OSError: the kernel says why not.
    """
    options = struct.pack("<HHi", 8, IFLA_XDP_FD, fd) + struct.pack("<HHI", 8, IFLA_XDP_FLAGS, SKB_MODE)
    body = struct.pack("<BxHiII", socket.AF_UNSPEC, 0, socket.if_nametoindex(interface), 0, 0)
    body += struct.pack("<HH", 4 + len(options), IFLA_XDP | NLA_F_NESTED) + options
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.send(struct.pack("<IHHII", 16 + len(body), RTM_SETLINK, NLM_REQUEST_ACK, 1, 0) + body)
        (error,) = struct.unpack_from("<i", netlink.recv(4096), 16)
    if error:
        raise OSError(-error, os.strerror(-error))


if __name__ == "__main__":
    attach(sys.argv[1], load())
