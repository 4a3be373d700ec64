"""The commands that ask: `check`, `lookup`, `list`, `act`."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.cli.options import config_option, read_settings, viewer_options
from gateway.cli.output import NO, WRONG_USE, say, show, stop

if TYPE_CHECKING:
    from gateway.cli.viewer import ViewerOptions
    from gateway.config.settings import Settings

T = TypeVar("T")


@click.command()
@config_option
def check(config: Path | None) -> None:
    """Is the configuration right, and does every platform take its credential?"""
    from gateway.cli import operator

    settings = read_settings(config)
    show("configuration: ok")
    if settings.server.reload == "watch":
        _show_watched(config, settings)
    findings = _run(operator.check(settings))
    for found in findings:
        show(f"{found.platform} ({found.mode}): {found.text}")
    sys.exit(0 if all(found.good for found in findings) else NO)


def _show_watched(config: Path | None, settings: Settings) -> None:
    from gateway.cli.served import read_from
    from gateway.config.mounts import mounted_alone

    files = sorted(read_from(config, settings).paths)
    alone = mounted_alone(files)
    for file in files:
        show(f"watched: {file}")
        if file in alone:
            say(f"warning: {file}: mounted by itself, so a change never gets here: mount its folder instead")


@click.command()
@config_option
@viewer_options
@click.argument("platform")
@click.argument("user_id")
def lookup(config: Path | None, seen_as: ViewerOptions, platform: str, user_id: str) -> None:
    """Print where the viewer stands with USER_ID on PLATFORM, as JSON."""
    from gateway.cli import operator

    settings = read_settings(config)
    _check_platforms(settings, platform)
    user = _user_id(settings, platform, user_id)
    _print(_run(operator.lookup(settings, platform, user, seen_as)))


@click.command("list")
@config_option
@viewer_options
@click.option("--platform", "platforms", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--status", "statuses", multiple=True, help="Default: both pending ones; may be repeated, or: all.")
@click.option("--user-id", "user_ids", multiple=True, metavar="ID", help="Only this user; may be repeated.")
def list_connections(
    config: Path | None,
    seen_as: ViewerOptions,
    platforms: tuple[str, ...],
    statuses: tuple[str, ...],
    user_ids: tuple[str, ...],
) -> None:
    """Print the viewer's connections, one JSON document on each line."""
    from gateway.cli import operator
    from gateway.cli.progress import Progress

    settings = read_settings(config)
    _check_platforms(settings, *platforms)
    try:
        filters = operator.filters(settings, platforms, statuses, user_ids)
    except ValueError as error:
        stop(str(error), WRONG_USE)
    progress = Progress()
    failures = _run(operator.list_all(settings, filters, seen_as, progress.page))
    progress.end()
    for failure in failures:
        say(failure)
    sys.exit(NO if failures else 0)


@click.command()
@config_option
@viewer_options
@click.argument("platform")
@click.argument("user_id")
@click.argument("action")
def act(config: Path | None, seen_as: ViewerOptions, platform: str, user_id: str, action: str) -> None:
    """Do ACTION (request, accept, reject, cancel, remove), and print the connection after it as JSON."""
    import msgspec

    from adapters.contract import Action
    from gateway.cli import operator

    settings = read_settings(config)
    _check_platforms(settings, platform)
    user = _user_id(settings, platform, user_id)
    if action not in set(Action):
        stop(f"action: expected one of {', '.join(Action)}", WRONG_USE)
    _print(msgspec.json.encode(_run(operator.act(settings, platform, user, Action(action), seen_as))))


def _check_platforms(settings: Settings, *platforms: str) -> None:
    if not set(platforms) <= settings.platforms.keys():
        stop(f"platform: expected one of {', '.join(settings.platforms)}", WRONG_USE)


def _user_id(settings: Settings, platform: str, text: str) -> Any:
    from adapters import user_ids

    try:
        return user_ids(settings.platforms[platform]).parse(text)
    except ValueError as error:
        stop(str(error), WRONG_USE)


def _run(asking: Coroutine[Any, Any, T]) -> T:
    import asyncio

    from adapters.contract import PlatformError
    from gateway.cli.operator import describe
    from gateway.cli.viewer import WrongViewer
    from gateway.config.settings import ConfigurationError
    from gateway.problems.problem import Problem

    try:
        return asyncio.run(asking)
    except WrongViewer as error:
        stop(str(error), WRONG_USE)
    except ConfigurationError as error:
        stop(f"configuration: {error}", WRONG_USE)
    except (PlatformError, Problem) as error:
        stop(describe(error), NO)


def _print(connection: bytes) -> None:
    import msgspec

    from gateway.config.printable import printable_json

    click.echo(printable_json(msgspec.json.format(connection)))
