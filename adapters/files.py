"""Reads text files that people wrote, within a limit of size and time.

A path in a configuration can name anything: a pipe that nobody writes to, a device, a file on a mount that no longer
answers. Opening or reading one of those can block for ever, so it happens in a daemon thread that nothing waits for
longer than `TIMEOUT`, not even the end of the process.
"""

from __future__ import annotations

import codecs
import stat
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final, NamedTuple

LIMIT: Final = 64 * 1024
"""Bytes that a file may have unless its reader says otherwise."""
TIMEOUT = 5.0
"""Seconds that a read may take."""

_KINDS: Final[dict[int, str]] = {
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "pipe",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFSOCK: "socket",
}
_BYTE_ORDER_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)

_hanging: Final[dict[Path, threading.Thread]] = {}
"""Reads that timed out: while one has not ended, no other thread is started for the same file."""


class UnreadableFile(Exception):
    """A file that can't be read as text. `reason` says why, and quotes nothing of the path.

    The message also says where: it quotes the path if it exists, otherwise the part of it that does. The rest may be
    a secret that was written where a path belongs.
    """

    def __init__(self, reason: str, file: Path | None = None) -> None:
        existing = None if file is None else _existing(file)
        if existing is None:
            super().__init__(reason)
        elif existing == file:
            super().__init__(f"{file}: {reason}")
        else:
            super().__init__(f"{reason} in {existing}")
        self.reason = reason


class TextFile(NamedTuple):
    """What a file contains, and what every user of this machine can do with it."""

    text: str
    readable_by_everyone: bool
    writable_by_everyone: bool
    replaceable_by_everyone: bool
    """everybody can put another file in its place, because everybody can write to its directory"""

    def __repr__(self) -> str:
        """Without the text, which may be a secret."""
        return "TextFile(...)"


def read_text_file(
    file: Path, *, limit: int = LIMIT, streams: bool = False, timeout: float | None = None
) -> TextFile:
    """The file as UTF-8 text, without a byte order mark. `streams`: whether it may also be a pipe or a device.

    Blocks for at most `timeout` seconds, or `TIMEOUT`. Raises UnreadableFile.
    """
    seconds = TIMEOUT if timeout is None else timeout
    earlier = _hanging.get(file)
    if earlier is not None and earlier.is_alive():
        raise UnreadableFile("an earlier read of it has not ended yet")
    result: Future[TextFile] = Future()
    thread = threading.Thread(
        target=_fulfil, args=(result, lambda: _read(file, limit, streams=streams)), name="read-file", daemon=True
    )
    thread.start()
    try:
        return result.result(seconds)
    except TimeoutError:
        _hanging[file] = thread
        raise UnreadableFile(f"could not be read within {seconds:g} s") from None


def decode_text(data: bytes) -> str:
    """UTF-8 text without its byte order mark. Raises ValueError, which names UTF-16."""
    if data.startswith(_BYTE_ORDER_MARKS):
        raise ValueError("expected UTF-8, this is UTF-16 or UTF-32")
    if b"\0" in data:
        raise ValueError("expected text in UTF-8, this is binary or UTF-16")
    try:
        return data.decode().lstrip("\ufeff")
    except UnicodeDecodeError:
        raise ValueError("expected text in UTF-8") from None


def _fulfil(result: Future[TextFile], read: Callable[[], TextFile]) -> None:
    try:
        result.set_result(read())
    except BaseException as error:  # noqa: BLE001  raised again by the thread that waits
        result.set_exception(error)


def _read(file: Path, limit: int, *, streams: bool) -> TextFile:
    try:
        mode = file.stat().st_mode
        if not (stat.S_ISREG(mode) or (streams and (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)))):
            raise UnreadableFile(f"expected a file, this is a {_KINDS[stat.S_IFMT(mode)]}", file)
        directory = file.parent.stat().st_mode
        with file.open("rb") as opened:
            data = opened.read(limit + 1)
    except OSError as error:
        raise UnreadableFile(error.strerror or "can't be read", file) from None
    except ValueError:  # a NUL in the path
        raise UnreadableFile("not a path", file) from None
    if len(data) > limit:
        raise UnreadableFile(f"longer than {limit} bytes", file)
    try:
        text = decode_text(data)
    except ValueError as error:
        raise UnreadableFile(str(error), file) from None
    is_kept = stat.S_ISREG(mode)
    return TextFile(
        text,
        readable_by_everyone=is_kept and bool(mode & stat.S_IROTH),
        writable_by_everyone=is_kept and bool(mode & stat.S_IWOTH),
        replaceable_by_everyone=is_kept and directory & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH,
    )


def _existing(file: Path) -> Path | None:
    """The longest part of the path that exists."""
    for path in (file, *file.parents):
        try:
            path.lstat()
        except (OSError, ValueError):
            continue
        return path
    return None
