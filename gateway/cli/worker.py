"""`python -m gateway.cli.worker`: one of the processes of `serve --workers N`, which starts it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli import early_signals
from gateway.cli.options import config_option, parse_settings
from gateway.cli.output import NO, WRONG_USE, stop

if TYPE_CHECKING:
    from gateway.config.settings import ServerSettings


@click.command()
@config_option
@click.option("--number", type=int, required=True)
@click.option("--workers", type=int, required=True)
@click.option("--channel", type=int, required=True, help="The descriptor of the socket to the parent.")
@click.option("--balance", type=int, required=True, help="The descriptor of the memory that all workers share.")
@click.option(
    "--listener", type=int, help="The descriptor of the listening socket; without it, this process opens it."
)
@click.option("--admin", type=int, help="That of `server.admin`. The first worker opens it.")
def worker(
    *,
    config: Path | None,
    number: int,
    workers: int,
    channel: int,
    balance: int,
    listener: int | None,
    admin: int | None,
) -> None:
    """Serve until the parent says otherwise, or is gone."""
    early_signals.end_when_told()
    from gateway.app import create_app, log_of
    from gateway.cli.served import read_from, serve_and_watch
    from gateway.config.settings import ConfigurationError, Settings
    from gateway.runtime.reload import Reloader
    from gateway.server.activation import as_inherited
    from gateway.server.descriptors import max_connections, raise_limit
    from gateway.server.running import run
    from gateway.server.server import Server
    from gateway.workers.balance import Balance
    from gateway.workers.channel import receive
    from gateway.workers.member import Member, hand_over
    from gateway.workers.share import share

    parent = socket.socket(fileno=channel)
    parent.set_inheritable(False)
    welcome, _ = receive(parent)
    settings = parse_settings(config)
    log = log_of(settings, worker=number, hash_key=welcome.key)
    log.take_over()
    if number == 1:
        log.warnings(each.logged for each in settings.warnings)
    bound, for_admin, opened = _listeners(settings.server, number, listener, admin)

    def adapt(settings: Settings) -> Settings:
        return share(as_inherited(settings, bound), number, workers)

    try:
        settings = adapt(settings)
        app = create_app(settings, log=log)
    except ConfigurationError as error:
        stop(f"configuration: {error}", WRONG_USE)
    member = Member(number, parent, Balance(balance, workers), app.state.metrics.snapshot)
    app.state.metrics.watch_workers(member.scrape)
    files = read_from(config, settings, adapt)
    reloading = Reloader(files.read, app.state.snapshots, log, on_end=member.reload_ended, metrics=app.state.metrics)
    raise_limit()
    server = Server(
        app,
        settings.server,
        log,
        max_connections=max_connections(settings),
        on_hangup=reloading.start,
        on_terminate=member.asked_to_stop,
        notifier=member,
        others=member,
        admin=for_admin,
    )
    hand_over(parent, opened)

    async def serve() -> None:
        await member.join(server, reloading)
        await server.serve_on(bound, early_signals=early_signals.came)
        await member.part()

    early_signals.hand_over()
    run(serve_and_watch(serve(), files, reloading.start) if settings.server.reload == "watch" else serve())
    early_signals.ignore()


def _listeners(
    settings: ServerSettings, number: int, listener: int | None, admin: int | None
) -> tuple[socket.socket, socket.socket | None, list[socket.socket]]:
    """The listening socket, that for probes and metrics, and which of them this process has opened."""
    from gateway.server.listener import listen, listen_for_admin, where

    opened: list[socket.socket] = []
    try:
        bound = listen(settings) if listener is None else socket.socket(fileno=listener)
    except OSError as error:
        stop(f"server: can't listen on {where(settings)}: {error.strerror}", NO)
    if listener is None:
        opened.append(bound)
    for_admin = None if admin is None else socket.socket(fileno=admin)
    if number == 1 and admin is None:
        try:
            for_admin = listen_for_admin(settings)
        except OSError as error:
            stop(f"server.admin: can't listen on {settings.admin}: {error.strerror}", NO)
        opened += [] if for_admin is None else [for_admin]
    for each in (bound, for_admin):
        if each is not None:
            each.set_inheritable(False)
    return bound, for_admin, opened


if __name__ == "__main__":
    worker()
