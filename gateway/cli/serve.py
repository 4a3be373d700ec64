"""The commands that run something: `demo`, `serve`, `simulate`, `wait`."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import click

from gateway.cli import early_signals, probe
from gateway.cli.options import config_option, parse_settings
from gateway.cli.output import NO, WRONG_USE, stop

MOST_WORKERS = 256
PORT = click.IntRange(0, 65535)


@click.command()
@click.option(
    "--port",
    type=PORT,
    default=8080,
    show_default=True,
    help="The port to use; if it is taken, a free one is chosen.",
)
@click.option("--check", is_flag=True, help="Run the three lines itself, print the answers, and exit.")
def demo(port: int, check: bool) -> None:
    """Serve simulated platforms and the gateway in front of them. Needs no file and no credentials.

    GATEWAY_SERVER__… in the environment applies, except for the listening address.
    """
    from gateway.cli.demo import run_demo
    from gateway.config.settings import ConfigurationError

    try:
        sys.exit(run_demo(port, check=check))
    except ConfigurationError as error:
        stop(f"configuration: {error}", WRONG_USE)


@click.command()
@config_option
@click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    default=1,
    show_default=True,
    help="Processes. With more than one, SIGUSR2 replaces them one after another.",
)
def serve(config: Path | None, workers: int) -> None:
    """Serve until stopped. SIGHUP reads callers and credentials anew.

    A listening socket that systemd passes (socket activation) is used instead of the configured address.
    """
    if workers > 1:
        from gateway.cli.workers import run_workers

        sys.exit(run_workers(config, workers))
    from gateway.app import create_app, log_of
    from gateway.cli.served import read_from, serve_and_watch
    from gateway.config.settings import ConfigurationError, Settings
    from gateway.runtime.reload import Reloader
    from gateway.server.activation import as_inherited, inherited_listener
    from gateway.server.descriptors import max_connections, raise_limit
    from gateway.server.listener import listen, listen_for_admin, where
    from gateway.server.notifier import Notifier
    from gateway.server.running import run
    from gateway.server.server import Server

    settings = parse_settings(config)
    log = log_of(settings)
    log.take_over()
    log.warnings(each.logged for each in settings.warnings)
    try:
        inherited = inherited_listener(os.environ)
        listener = inherited or listen(settings.server)
    except OSError as error:
        stop(f"server: can't listen on {where(settings.server)}: {error.strerror}", NO)

    def adapt(settings: Settings) -> Settings:
        return settings if inherited is None else as_inherited(settings, inherited)

    try:
        admin = listen_for_admin(settings.server)
    except OSError as error:
        stop(f"server.admin: can't listen on {settings.server.admin}: {error.strerror}", NO)
    try:
        settings = adapt(settings)
        app = create_app(settings, log=log)
    except ConfigurationError as error:
        stop(f"configuration: {error}", WRONG_USE)
    files = read_from(config, settings, adapt)
    notifier = Notifier(os.environ)
    reloading = Reloader(
        files.read,
        app.state.snapshots,
        log,
        on_begin=notifier.reloading,
        on_end=notifier.reloaded,
        metrics=app.state.metrics,
    )
    raise_limit()
    server = Server(
        app,
        settings.server,
        log,
        max_connections=max_connections(settings),
        on_hangup=reloading.start,
        notifier=notifier,
        keeps_listener=inherited is not None,
        admin=admin,
    )
    early_signals.hand_over()
    serving = server.serve_on(listener, early_signals=early_signals.came)
    run(serve_and_watch(serving, files, reloading.start) if settings.server.reload == "watch" else serving)
    early_signals.ignore()


@click.command()
@click.argument("adapter")
@click.option("--port", type=PORT, default=9001, show_default=True, help="0: a free one.")
@click.option("--empty", is_flag=True, help="Seed no users but viewer 1.")
@click.option(
    "--public-key",
    type=click.Path(path_type=Path),
    help="Log in only what this key (PEM) verifies, where logins are signed.",
)
def simulate(adapter: str, port: int, empty: bool, public_key: Path | None) -> None:
    """Serve one simulated platform on loopback until stopped. ADAPTER is the `adapter` of its configuration."""
    from adapters import ADAPTERS, adapter_name
    from adapters.simulation import simulator
    from gateway.cli.simulate import run_simulator

    names = [adapter_name(each) for each in ADAPTERS]
    if adapter not in names:
        stop(f"adapter: expected one of {', '.join(names)}", WRONG_USE)
    options: dict[str, object] = {"empty": empty}
    try:
        if public_key is not None:
            options["public_key"] = public_key.read_text()
        platform = simulator(adapter, **options)
    except TypeError:
        stop(f"--public-key: a simulated {adapter} checks no signatures", WRONG_USE)
    except (OSError, ValueError):
        stop(f"--public-key: {public_key}: expected a file with a public key in PEM", WRONG_USE)
    try:
        run_simulator(adapter, platform, port)
    except OSError as error:
        stop(f"--port: {error.strerror}", NO)


@click.command()
@config_option
@click.option("--address", metavar="HOST:PORT|PATH", help="Ask there, and read no configuration.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, probe.LONGEST_TIMEOUT),
    default=probe.DEFAULT_TIMEOUT,
    show_default=True,
    help="Seconds.",
)
def wait(config: Path | None, address: str | None, timeout: float) -> None:
    """Wait until the gateway at the configured address is ready. Only that address is read of the configuration."""
    if math.isnan(timeout):  # which is in no range, and outside of none
        stop("--timeout: expected a number of seconds", WRONG_USE)
    sys.exit(probe.run(None if config is None else str(config), address, timeout))
