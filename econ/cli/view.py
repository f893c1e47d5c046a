"""econ view: the page in a browser, following a run while it goes on."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from econ.cli.options import load, params_option


@click.command("view")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8750, show_default=True, help="0: any that is free."
)
@click.option("--open", "browse", is_flag=True, help="Open a browser, too.")
@params_option
def command(port: int, browse: bool, params_file: Path) -> None:
    """Serve the report on this machine alone, and follow a run: jobs, calls, tokens, money, time left.

    \b
    Example: econ view --params params.yaml
    """
    params = load(params_file)
    from econ.running.view import HOST, server

    with server(params, port) as serving:
        address = f"http://{HOST}:{serving.server_address[1]}/"
        click.echo(f"{address} (Ctrl-C ends it)")
        if browse:
            webbrowser.open(address)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            click.echo()
