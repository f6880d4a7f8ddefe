"""A folder as a disk would hold it: replays the log of disk_shim.c and rebuilds the folder as of any moment of it.

What a power cut leaves, decided by a seed: everything that was synced; of the writes after the last sync of a file any
choice of sectors, in a random style; of the names made, moved or removed since the last sync of the folder the first few
(a file system keeps their order). A sync that failed makes nothing durable and cleans the page cache all the same: what was
written before it may never arrive, although a later sync of the same file succeeds.
"""
import os
import pathlib
import struct
import subprocess
import tempfile

HEAD = struct.Struct("<B3xiQqQQIIQ")
MAKE, WRITE, RESIZE, SYNC, SYNC_FAILED, RENAME, REMOVE, SYNC_FOLDER, FOLDER = range(1, 10)
RENAME_EXCHANGE = 2
STYLES = ("nothing", "everything", "sectors of 512", "pages of 4096", "in order, the last one torn")


def build_shim(folder):
    """Compiles the shim once per run."""
    library = pathlib.Path(folder) / "disk_shim.so"
    if not library.exists():
        source = pathlib.Path(__file__).with_name("disk_shim.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    return library


def shim_environment(library, root, log=None, fault=None, fault_while=None, delay_us=0):
    environment = {"LD_PRELOAD": str(library), "TORTURE_DISK_ROOT": str(root), "TORTURE_DISK_DELAY": str(delay_us)}
    for name, value in (("LOG", log), ("FAULT", fault), ("WHILE", fault_while)):
        if value is not None:
            environment["TORTURE_DISK_" + name] = str(value)
    return environment


class Event:
    __slots__ = ("kind", "inode", "offset", "begun", "done", "path", "second", "data")

    def __init__(self, kind, inode, offset, begun, done, path, second, data):
        self.kind, self.inode, self.offset, self.begun, self.done = kind, inode, offset, begun, done
        self.path, self.second, self.data = path, second, data


def read_log(path):
    """The whole events of a log; a last one that was cut off by a kill is left out."""
    data, events, at = pathlib.Path(path).read_bytes(), [], 0
    while at + HEAD.size <= len(data):
        kind, _, inode, offset, begun, done, first, second, size = HEAD.unpack_from(data, at)
        begin = at + HEAD.size
        at = begin + first + second + size
        if at > len(data):
            break
        events.append(Event(kind, inode, offset, begun, done, os.fsdecode(data[begin:begin + first]),
                            os.fsdecode(data[begin + first:begin + first + second]), data[begin + first + second:at]))
    return events


class File:
    """What is safely on the disk, and what was done to the file since its last sync: ("write", offset, bytes, lost) ..."""

    def __init__(self, content=b""):
        self.disk = bytearray(content)
        self.pending = []

    @staticmethod
    def _write(content, offset, data):
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset:offset + len(data)] = data

    @staticmethod
    def _resize(content, size):
        if size <= len(content):
            del content[size:]
        else:
            content.extend(bytes(size - len(content)))

    def sync(self):
        for what, offset, data, lost in self.pending:
            if lost:
                continue
            self._write(self.disk, offset, data) if what == "write" else self._resize(self.disk, offset)
        self.pending = []

    def sync_failed(self):
        self.pending = [(what, offset, data, True) for what, offset, data, _ in self.pending]

    def whole(self):
        """As a program reads it: with everything that was written."""
        content = bytearray(self.disk)
        for what, offset, data, _ in self.pending:
            self._write(content, offset, data) if what == "write" else self._resize(content, offset)
        return content

    def after_cut(self, rng, style):
        content = bytearray(self.disk)
        if style == "nothing":
            return content
        last = rng.randint(0, len(self.pending)) if style.startswith("in order") else len(self.pending)
        for at, (what, offset, data, _) in enumerate(self.pending[:last]):
            torn = style.startswith("in order") and at == last - 1
            if what == "resize":
                if style == "everything" or style.startswith("in order") or rng.random() < 0.5:
                    self._resize(content, offset)
            elif torn:
                self._write(content, offset, data[:rng.randint(0, len(data)) // 512 * 512])
            elif style == "everything" or style.startswith("in order"):
                self._write(content, offset, data)
            else:
                self._some_sectors(content, offset, data, rng, 512 if "512" in style else 4096)
        return content

    def _some_sectors(self, content, offset, data, rng, size):
        chance = rng.choice((0.1, 0.5, 0.9))
        begin = offset
        while begin < offset + len(data):
            end = min((begin // size + 1) * size, offset + len(data))
            if rng.random() < chance:
                self._write(content, begin, data[begin - offset:end - offset])
            begin = end


class Disk:
    """The folder while the log is replayed. `names` is what programs see, `names_disk` what the folder's last sync made safe."""

    def __init__(self, folder):
        self.names, self.by_inode, self.pending_names = {}, {}, []
        for path in pathlib.Path(folder).rglob("*"):
            if path.is_file() and not path.name.endswith("-shm"):
                file = File(path.read_bytes())
                self.names[str(path.relative_to(folder))] = file
                self.by_inode[path.stat().st_ino] = file
        self.names_disk = dict(self.names)

    @staticmethod
    def _rename_in(names, event):
        kept = names.get(event.second)
        if event.path in names:
            names[event.second] = names.pop(event.path)
            if event.offset & RENAME_EXCHANGE and kept is not None:
                names[event.path] = kept

    def _name_change(self, event, change):
        change(self.names)
        self.pending_names.append((event, change))

    def apply(self, event):
        file = self.by_inode.get(event.inode)
        if event.kind == MAKE:
            made = self.by_inode[event.inode] = File()
            self._name_change(event, lambda names: names.__setitem__(event.path, made))
        elif event.kind == WRITE:
            file.pending.append(("write", event.offset, event.data, False))
        elif event.kind == RESIZE:
            file.pending.append(("resize", event.offset, b"", False))
        elif event.kind == SYNC:
            file.sync()
        elif event.kind == SYNC_FAILED and file is not None:
            file.sync_failed()
        elif event.kind == RENAME:
            self._name_change(event, lambda names: self._rename_in(names, event))
        elif event.kind == REMOVE:
            self._name_change(event, lambda names: names.pop(event.path, None))
        elif event.kind == SYNC_FOLDER:
            self.names_disk, self.pending_names = dict(self.names), []

    def write_whole(self, folder):
        return self._write(folder, {name: file.whole() for name, file in self.names.items()})

    def write_after_cut(self, folder, rng):
        """The folder after the power came back; answers how it was cut, in words."""
        style = rng.choice(STYLES)
        names = dict(self.names_disk)
        kept = rng.randint(0, len(self.pending_names))
        for _, change in self.pending_names[:kept]:
            change(names)
        self._write(folder, {name: file.after_cut(rng, style) for name, file in names.items()})
        pending = sum(len(file.pending) for file in names.values())
        return f"unsynced writes ({pending}): {style}; unsynced names: {kept} of {len(self.pending_names)}"

    @staticmethod
    def _write(folder, contents):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def differences(self, folder):
        """Where the replayed log and the real folder differ: anything here means that the shim missed a call."""
        found = {str(path.relative_to(folder)): path for path in pathlib.Path(folder).rglob("*")
                 if path.is_file() and not path.name.endswith("-shm")}
        different = [f"{name} is only on one side" for name in set(found) ^ set(self.names)]
        return different + [f"{name} differs" for name in set(found) & set(self.names) if found[name].read_bytes() != self.names[name].whole()]


def self_test():
    """The model itself: what is synced survives every cut, what is not may be lost."""
    import random
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(folder)
        for event in (Event(MAKE, 7, 0, 0, 0, "a", "", b""), Event(WRITE, 7, 0, 0, 0, "a", "", b"x" * 4096), Event(SYNC, 7, 0, 0, 0, "a", "", b""),
                      Event(SYNC_FOLDER, 1, 0, 0, 0, "", "", b""), Event(WRITE, 7, 4096, 0, 0, "a", "", b"y" * 4096)):
            disk.apply(event)
        for seed in range(50):
            file = disk.names_disk["a"].after_cut(random.Random(seed), STYLES[seed % len(STYLES)])
            assert file[:4096] == b"x" * 4096 and set(file[4096:]) <= {0, ord("y")}, seed


if __name__ == "__main__":
    self_test()
    print("disk_image: a cut keeps what was synced")
