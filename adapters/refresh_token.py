"""Refresh tokens that are replaced while they are in use, and the file in which one is kept."""

from __future__ import annotations

import asyncio
import os
import stat
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from adapters.daemon_thread import DaemonThread
from adapters.secret import Secret, format_secret, parse_secret

READ_WITHIN: Final = 1.0
WRITE_WITHIN: Final = 5.0
"""Seconds that anybody waits for a disk."""
LARGEST_FILE: Final = 64 * 1024
"""Bytes that are read of it."""
REMEMBERED: Final = 100
"""Earlier tokens that are still recognized: a reload may have read one of them just before it was replaced."""


class NotAFile(OSError):
    """What has the file's name is a pipe, a device or the like: it is neither read nor replaced."""


class RefreshTokens:
    """The refresh tokens of one platform while the process runs: a reload makes a new adapter, but no new token."""

    def __init__(self) -> None:
        self._in_use: list[tuple[Secret, RefreshToken]] = []
        """each with what the configuration said when its use began"""

    def in_use(self, configured: Secret) -> RefreshToken:
        """The token to use where the configuration says `configured`: what has replaced it since, or itself."""
        found = self._find(configured)
        if found is None:
            found = configured, RefreshToken(configured.reveal())
            self._in_use.append(found)
        return found[1]

    def as_first_configured(self, configured: Secret) -> Secret:
        """What the configuration said before we replaced it by `configured`; where we did not, `configured`."""
        found = self._find(configured)
        return configured if found is None else found[0]

    def _find(self, configured: Secret) -> tuple[Secret, RefreshToken] | None:
        text = configured.reveal()
        return next((each for each in self._in_use if each[1].is_or_was(text)), None)


class RefreshToken(Secret):
    """The refresh token in use. `replace` puts another in its place; `given` is what the configuration had.

    `lock` is held by the one login that may use it up. Its file is read and written in `thread`, which may hang.
    """

    __slots__ = ("_earlier", "given", "lock", "thread", "writing")

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.given = text
        self.lock = asyncio.Lock()
        self.thread = DaemonThread()
        self.writing: asyncio.Future[bool] | None = None
        self._earlier: deque[str] = deque(maxlen=REMEMBERED)

    def replace(self, text: str) -> None:
        """Put `text` in force. What was is recognized from now on, and never sent again."""
        self._earlier.append(self._text)
        self._text = text

    def is_or_was(self, text: str) -> bool:
        return text in {self._text, self.given, *self._earlier}


class TokenFile:
    """Keeps a refresh token where other processes find it. Nothing here waits for a disk that hangs."""

    def __init__(self, path: Path, token: RefreshToken, is_replaceable: Callable[[], bool]) -> None:
        """`is_replaceable` says whether a new token may take the file's place; it may block as well."""
        self._path = path
        self._token = token
        self._is_replaceable = is_replaceable

    async def read(self) -> bool:
        """Put in force what another process (a command, say) left in the file; it may have used ours up.

        False where there is nothing new. Raises OSError, TimeoutError or ValueError where the file can't be read.
        """
        token = self._token
        if token.thread.busy:
            raise TimeoutError("an earlier reading or writing still hangs")
        reading = asyncio.get_running_loop().run_in_executor(token.thread, self._read)
        found = await asyncio.wait_for(reading, READ_WITHIN)
        if not found or token.is_or_was(found):
            return False
        token.replace(found)
        token.given = found
        return True

    async def write(self) -> bool:
        """Write the token in force, in time or later: False where that is not done yet, or can't be."""
        token = self._token
        if token.writing is not None:
            token.writing.cancel()  # one that has not begun: only the newest token is wanted
        patience = 0 if token.thread.busy else WRITE_WITHIN
        token.writing = asyncio.get_running_loop().run_in_executor(token.thread, self._write_newest)
        await asyncio.wait((token.writing,), timeout=patience)
        return token.writing.done() and token.writing.result()

    def _read(self) -> str:
        """Opened so that a pipe without a writer does not block."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NotAFile(f"{self._path} is not a file")
            return parse_secret(file.read(LARGEST_FILE).decode())

    def _write_newest(self) -> bool:
        """What is in force when its turn comes. What somebody else put into the file is left alone."""
        try:
            found = self._read_if_possible()
            if not self._is_replaceable() or (found and not self._token.is_or_was(found)):
                return False
            text = self._token.reveal()
            _write(self._path.resolve(), format_secret(text))
            self._token.given = text
        except (OSError, ValueError):
            return False
        return True

    def _read_if_possible(self) -> str:
        """Empty where there is nothing that anybody could miss."""
        try:
            return self._read()
        except NotAFile:
            raise
        except (OSError, ValueError):
            return ""


def _write(file: Path, text: str) -> None:
    """All of it or nothing, whenever the machine stops. It stays its owner's, and nobody else may read it."""
    owner = file.stat()
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # made with mode 600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as whole:
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            whole.write(text)
            whole.flush()
            os.fsync(descriptor)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
