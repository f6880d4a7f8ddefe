#!/usr/bin/env python3
"""Starts a program behind the walls that a systemd unit asks for, where no systemd runs: its system calls, its kinds of
sockets, no new namespaces, no new rights, its number of files.

Usage: unit_walls.py UNIT PROGRAM [ARGUMENT...]

Not put up here are those that need root: its own user, its view of the file system, its devices.
"""
import ctypes
import ctypes.util
import errno
import os
import resource
import signal
import socket
import subprocess
import sys

ALLOW, REFUSE = 0x7FFF0000, 0x00050000  # the second with an error number
EQUAL, GREATER_EQUAL, MASKED_EQUAL = 4, 5, 7  # SCMP_CMP_*
NAMESPACES = 0x7E020080  # CLONE_NEW*


def settings_of(unit):
    found = {}
    with open(unit, encoding="utf-8") as file:
        for line in file:
            name, equals, value = line.strip().partition("=")
            if equals and not line.startswith("#"):
                found.setdefault(name, []).append(value)
    return found


def calls_of(word):
    """The system calls behind a name or a @group."""
    if not word.startswith("@"):
        return {word}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True).stdout
    inside = [line.split("#")[0].strip() for line in listed.splitlines()[1:]]
    return set().union(*(calls_of(name) for name in inside if name))


def allowed_calls(lines):
    """As systemd.exec(5) reads them: the first line makes a list of what is allowed, ~ takes away again."""
    allowed = calls_of("@default")
    for line in lines:
        away = line.startswith("~")
        for word in line.lstrip("~").split():
            allowed = allowed - calls_of(word) if away else allowed | calls_of(word)
    return allowed


class Compare(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operation", ctypes.c_int), ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64)]


class Filter:
    def __init__(self, otherwise):
        self.library = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2")
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(otherwise)))

    def rule(self, action, call, *compares):
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        if number == -1:
            return  # of another architecture
        array = (Compare * max(len(compares), 1))(*compares)
        result = self.library.seccomp_rule_add_array(self.context, ctypes.c_uint32(action), number, len(compares), array)
        if result not in (0, -errno.EDOM, -errno.EPERM):  # another architecture, or what happens anyway
            raise OSError(-result, f"{call}: {os.strerror(-result)}")

    def load(self):
        if (result := self.library.seccomp_load(self.context)) != 0:
            raise OSError(-result, os.strerror(-result))


def put_up(unit):
    settings = settings_of(unit)
    refused = REFUSE | errno.EPERM
    calls = Filter(refused)
    for call in sorted(allowed_calls(settings["SystemCallFilter"])):
        calls.rule(ALLOW, call)
    kinds = Filter(ALLOW)
    families = sorted(getattr(socket, name) for name in settings["RestrictAddressFamilies"][0].split())
    between = [family for family in range(families[-1]) if family not in families]
    for family in between:
        kinds.rule(REFUSE | errno.EAFNOSUPPORT, "socket", Compare(0, EQUAL, family, 0))
    kinds.rule(REFUSE | errno.EAFNOSUPPORT, "socket", Compare(0, GREATER_EQUAL, families[-1] + 1, 0))
    if settings["RestrictNamespaces"] == ["yes"]:
        kinds.rule(REFUSE | errno.ENOSYS, "clone3")  # its flags cannot be seen, callers use clone
        for call in ("unshare", "setns"):
            kinds.rule(refused, call)
        for bit in (1 << at for at in range(32) if NAMESPACES >> at & 1):
            kinds.rule(refused, "clone", Compare(0, MASKED_EQUAL, bit, bit))
    files = min(int(settings["LimitNOFILE"][0]), resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.umask(int(settings["UMask"][0], 8))
    if ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS
        raise OSError("no_new_privs is refused")
    kinds.load()
    calls.load()  # last: what it refuses may be needed to put up the others


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__.split("\n\n")[1])
    put_up(sys.argv[1])
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
