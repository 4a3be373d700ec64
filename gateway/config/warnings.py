"""Warnings about a valid configuration: what its operator should know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from adapters.files import TextFile
from adapters.settings import PlatformSettings, ViewerSource
from gateway.config.caller_settings import CallerSettings
from gateway.config.public_keys import PublicKeyFile
from gateway.config.settings import ConfigurationWarning, is_loopback


def about_file(
    setting: str, file: TextFile | PublicKeyFile, *, secret: bool = False
) -> Iterator[ConfigurationWarning]:
    """What every user of this machine can do with a file that must be the operator's own."""
    if secret and file.readable_by_everyone:
        yield ConfigurationWarning(setting, "readable-by-everyone", "everybody on this machine can read it")
    if file.writable_by_everyone:
        yield ConfigurationWarning(setting, "writable-by-everyone", "everybody on this machine can write to it")
    if file.replaceable_by_everyone:
        yield ConfigurationWarning(
            setting, "replaceable-by-everyone", "everybody on this machine can put another in its place"
        )


def configuration_warnings(
    callers: Iterable[CallerSettings], platforms: Mapping[str, PlatformSettings]
) -> Iterator[ConfigurationWarning]:
    for name, platform in platforms.items():
        for concern in platform.credentials.concerns:
            yield ConfigurationWarning(f"platforms.{name}.credentials.{concern.key}", concern.word, concern.text)
        if platform.ca_file is not None:
            yield from about_file(f"platforms.{name}.ca_file", platform.ca_file.content)
    yield from _writable_keys(callers)
    yield from _in_the_clear(platforms)
    yield from _in_vain(callers, platforms)


def _writable_keys(callers: Iterable[CallerSettings]) -> Iterator[ConfigurationWarning]:
    """A public key is no secret, but who can exchange it decides who may call."""
    for place, caller in enumerate(callers):
        if caller.jwt_key_file is not None:
            yield from about_file(f"callers[{place}].jwt_key_file", caller.jwt_key_file)


def _in_the_clear(platforms: Mapping[str, PlatformSettings]) -> Iterator[ConfigurationWarning]:
    for name, platform in platforms.items():
        for key in ("base_url", "login_url"):
            url = urlsplit(getattr(platform, key) or "")
            if url.scheme == "http" and not is_loopback(url.hostname or ""):
                text = "http: whoever is on the way reads tokens and answers"
                yield ConfigurationWarning(f"platforms.{name}.{key}", "unencrypted", text)


def _in_vain(
    callers: Iterable[CallerSettings], platforms: Mapping[str, PlatformSettings]
) -> Iterator[ConfigurationWarning]:
    for place, caller in enumerate(callers):
        for number, grant in enumerate(caller.on_behalf_of):
            named = [
                name
                for name, platform in platforms.items()
                if grant.platform in {None, name}
                and platform.credentials.viewer_source is ViewerSource.NAMED
                and (caller.platforms is None or name in caller.platforms)
            ]
            if not named:
                text = "no platform that this caller may use is asked on behalf of named users"
                yield ConfigurationWarning(f"callers[{place}].on_behalf_of[{number}]", "without-effect", text)
