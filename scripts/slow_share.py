"""A share with bad manners for stories and torture loops: `with SlowShare(source, mount, delay_us=3000) as share: share.hang()`.

Needs the test program millrace_slow_share beside the build, /dev/fuse and fusermount3; `why_not(binary)` says what is missing.
Changes are made in the source folder, as another machine would make them.
"""
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time


def program(binary):
    return pathlib.Path(binary).resolve().parent / "src" / "millrace_slow_share"


def why_not(binary):
    if not program(binary).exists():
        return "millrace_slow_share is not built (it needs libfuse3-dev; `ninja tests` builds it)"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse may not be used here"
    if not shutil.which("fusermount3"):
        return "fusermount3 (package fuse3) is not installed"
    return None


class SlowShare:
    def __init__(self, binary, source, mount, delay_us=0):
        self.mount_point = pathlib.Path(mount)
        self.words = [str(program(binary)), str(source), str(mount), str(delay_us)]
        self.process = None
        self.mount()

    def mount(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 10
        while not os.path.ismount(self.mount_point):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the share was not mounted: {self.process.stderr.read()!r}")
            select.select([], [], [], 0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unmount()

    def hang(self):
        """Trips wait until the next call."""
        self.process.send_signal(signal.SIGUSR1)

    answer = hang  # the same signal ends it

    def fail(self):
        """Every trip fails with EIO until the next call."""
        self.process.send_signal(signal.SIGUSR2)

    succeed = fail

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def unmount(self):
        """Lazily, so that a program that waits for the share does not keep it; answers the number of trips."""
        if self.process is None:
            return 0
        self.thaw()
        subprocess.run(["fusermount3", "-u", "-z", str(self.mount_point)], check=False, stderr=subprocess.DEVNULL)
        try:
            out, _ = self.process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, _ = self.process.communicate()
        self.process = None
        words = out.split()
        return int(words[0]) if words else 0
