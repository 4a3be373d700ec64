"""What every platform's table in the configuration says, whatever its adapter. Each adapter adds its own."""

from __future__ import annotations

import re
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Final, NamedTuple, Self

import httpx
import msgspec

from adapters.files import TextFile, UnreadableFile, read_text_file
from adapters.refresh_token import RefreshTokens
from adapters.secret import RedactedRepr
from adapters.webhook import Webhook

_BASE_URL: Final = re.compile(
    r"https?://"
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*)"  # an address or a name
    r"(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
)

PLATFORM_NAME: Final = "[a-z][a-z0-9-]{0,31}"
"""A regular expression, without its ends."""
PlatformName = Annotated[str, msgspec.Meta(pattern=rf"^{PLATFORM_NAME}\Z")]

LARGEST_BUNDLE: Final = 4 * 1024 * 1024
"""Bytes of certificates: all that browsers trust take a quarter of a megabyte."""


class BaseUrl(str):
    """An absolute http or https URL without user, query or fragment; may carry a path. No slash at its end."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where `text` is no such URL."""
        if not _BASE_URL.fullmatch(text) or not _is_usable(text):
            raise ValueError("expected an absolute http or https URL without user, query or fragment")
        return super().__new__(cls, text.rstrip("/"))


def _is_usable(url: str) -> bool:
    """What a pattern can't say: whether httpx takes it (addresses), and whether the port exists."""
    try:
        parsed = httpx.URL(url)
        port = parsed.port
        return bool(parsed.host) and (port is None or 0 < port < 65536)
    except (httpx.InvalidURL, UnicodeError):  # the latter for a host that pretends to be IDNA
        return False


class ProxyUrl(BaseUrl):
    """An http or https URL of name and port alone."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where `text` is no such URL."""
        try:
            url = super().__new__(cls, text)
        except ValueError:
            url = None
        if url is None or "/" in url.partition("://")[2]:
            raise ValueError("expected the http or https URL of a proxy, without user and path")
        return url


class CertificateFile(str):
    """A file with certificates in PEM, whose owners are trusted, and nobody else. It is read once, here."""

    __slots__ = ("content",)
    content: TextFile

    def __new__(cls, text: str) -> Self:
        """Raise ValueError where there is no such file."""
        self = super().__new__(cls, text)
        try:
            self.content = read_text_file(Path(text), limit=LARGEST_BUNDLE)
            self.tls_context()
        except UnreadableFile as error:
            raise ValueError(str(error)) from None
        except ssl.SSLError:
            raise ValueError(f"{text}: expected a file with certificates in PEM") from None
        return self

    def tls_context(self) -> ssl.SSLContext:
        """A new context for clients, which trusts these certificates as they were when the file was read.

        OpenSSL takes them as ASCII; what else stands in the file are comments. Raises ssl.SSLError.
        """
        certificates = self.content.text.encode("ascii", "ignore").decode()
        if not certificates:  # without any, Python would trust the system's
            raise ssl.SSLError("no certificates")
        return ssl.create_default_context(cadata=certificates)


Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
"""How long an answer may be told again: at most a day."""


class ViewerSource(StrEnum):
    """Where the viewer comes from; every credential mode has one."""

    CALLER = "caller"
    """the caller's own token"""
    OWN = "own"
    """our credential, which is one user's"""
    NAMED = "named"
    """the caller names a user; our credential can speak for any"""


class ThrottleScope(StrEnum):
    """Whom a platform means when it asks for fewer calls."""

    PLATFORM = "platform"
    """us, whoever the viewer is"""
    VIEWER = "viewer"
    """the one viewer whose call it was"""


class Concern(NamedTuple):
    """What the operator should know of a key, though it stops nothing: a word for the log, a sentence for people."""

    key: str
    word: str
    text: str


class Credentials(
    RedactedRepr, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="mode"
):
    """One credential mode: what it needs, each adapter's modes say. Unless they say otherwise, it is one user's."""

    @property
    def viewer_source(self) -> ViewerSource:
        return ViewerSource.OWN

    @property
    def is_good_once(self) -> bool:
        """Whether a login may use it up for whoever comes next: what replaces it could not be kept."""
        return False

    @property
    def sole_file(self) -> str | None:
        """A file that changes while it is in use, so that no other platform may have it too."""
        return None

    @property
    def lasting(self) -> dict[str, object]:
        """What it consists of, without what is replaced while it is in use, and without the names of files."""
        return {name: getattr(self, name) for name in self.__struct_fields__ if not name.endswith("_file")}

    @property
    def concerns(self) -> tuple[Concern, ...]:
        return ()

    def as_first_configured(self, tokens: RefreshTokens) -> Credentials:
        """These as the operator wrote them: with the refresh token that the one here has replaced, if we did that."""
        del tokens
        return self


class Caller(Credentials, frozen=True, tag="caller"):
    """Every caller brings a token of its own; we hold none."""

    @property
    def viewer_source(self) -> ViewerSource:
        return ViewerSource.CALLER


class EventSettings(RedactedRepr, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a platform's events reach the gateway: what each adapter's say."""

    @property
    def webhook(self) -> Webhook | None:
        """What reads the requests that the platform sends; None where it sends none."""
        return None


class PlatformSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every platform's table in the configuration says, whatever its adapter."""

    THROTTLE_SCOPE: ClassVar[ThrottleScope]

    base_url: BaseUrl
    credentials: Credentials
    """one of several modes; an adapter narrows this to its own"""
    events: EventSettings | None = None
    """an adapter that takes events narrows this to its own"""
    login_url: BaseUrl | None = None
    """where to log in, if not under `base_url`"""
    ca_file: CertificateFile | None = None
    proxy: ProxyUrl | None = None
    max_calls: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 64
    """calls on the wire at once"""
    max_waiting: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """requests that may wait for this platform at once; None: half of those that the gateway has in work at most, or
    all of them if there is no other platform
    """
    fresh_for: Seconds | None = None
    stale_for: Seconds | None = None
    """seconds that an answer is fresh, and that it may be told if the platform can't be asked; None: as in [cache]"""

    @property
    def mode(self) -> str:
        """The credential mode, as the configuration spells it."""
        return str(self.credentials.__struct_config__.tag)
