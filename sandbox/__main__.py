"""`python -m sandbox up` and `python -m sandbox demo`."""

import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from mlevents.errors import ConfigError
from mlevents.rules.local_settings import read_local_settings
from sandbox.event_grid.delivery import HandshakeError
from sandbox.options import CHECKOUT, ROOT, Options, PortTakenError, RealReceiverError
from sandbox.sandbox import Sandbox
from sandbox.sandbox_process import Stage
from sandbox.worker.function import WorkerError

FAILURE, USAGE = 1, 2
command = typer.Typer(
    help="Azure on your machine, and the app on it.", no_args_is_help=True, pretty_exceptions_enable=False
)


@command.command()
def up(  # noqa: PLR0913, PLR0917 - a command's options are its function's parameters
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the Functions host; 0 takes a free one.")
    ] = 7071,
    rules: Annotated[Path, typer.Option(help="The rule file, or a folder.")] = ROOT / "rules.yaml",
    speed: Annotated[float, typer.Option(min=0.001, help="How much faster than Azure.")] = 60.0,
    ready_file: Annotated[Path | None, typer.Option(help="A file for the addresses, once all is up.")] = None,
    twice: Annotated[bool, typer.Option(help="Execute activities and entity operations twice.")] = False,
    deliver_twice: Annotated[bool, typer.Option(help="Deliver every event twice.")] = False,
    dead_letters: Annotated[Path | None, typer.Option(help="A folder that receives dead letters.")] = None,
    app: Annotated[Path, typer.Option(help="The function app's folder.")] = ROOT,
    env: Annotated[str, typer.Option(help="The environment: environments/NAME.yaml is applied.")] = "",
    real: Annotated[
        list[str] | None, typer.Option(help="A setting whose real value is used, not the inbox; repeat it.")
    ] = None,
    reload: Annotated[bool, typer.Option(help="Restart the app when a file of the rules changes.")] = False,
    attached: Annotated[
        bool, typer.Option(help="Print what happens later only, and end with standard input.")
    ] = False,
    keys: Annotated[
        bool, typer.Option(help="Ask for a function key, as a deployed app does; the ready file has it.")
    ] = False,
    verbose: Annotated[bool, typer.Option(help="Log everything to standard error.")] = False,
) -> None:
    """Run the app on a simulated Azure until interrupted."""
    if not rules.exists():
        _end(f"there is no rule file '{rules}': name yours with --rules", USAGE)
    if ready_file is not None:
        _check_writable(ready_file)
    options = Options(
        port,
        rules,
        speed,
        ready_file,
        twice,
        deliver_twice,
        dead_letters,
        app,
        env=env,
        real=tuple(real or ()),
        reload=reload,
        attached=attached,
        keys=keys,
    )
    _run(options, verbose)


@command.command()
def demo(
    speed: Annotated[float, typer.Option(min=1, help="How much faster than Azure.")] = 120,
) -> None:
    """Play ten scenes on a sandbox, and check the outcome of each."""
    if not (CHECKOUT / "rules.yaml").is_file():
        _end(
            "the demo plays the rules of mlevents' repository: run it in a checkout of it; "
            "to try your own rules, run `mlevents up` in their folder",
            USAGE,
        )
    from sandbox.demo.demo import play_demo

    raise typer.Exit(play_demo(speed))


def _run(options: Options, verbose: bool) -> NoReturn:
    """Serve until interrupted, and end the process with the right exit code."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        read_local_settings(options.rules or options.app / "rules.yaml")
        asyncio.run(_serve(options))
    except (PortTakenError, RealReceiverError, ConfigError) as error:
        _end(str(error), USAGE)
    except (WorkerError, HandshakeError) as error:
        _end(str(error), FAILURE)
    _end("", 0)


async def _serve(options: Options) -> None:
    interrupted, loop = asyncio.Event(), asyncio.get_running_loop()

    def interrupt(*_: object) -> None:
        loop.call_soon_threadsafe(interrupted.set)

    for number in (signal.SIGINT, signal.SIGTERM):  # add_signal_handler is not there on Windows
        signal.signal(number, interrupt)
    if options.attached:
        threading.Thread(target=_wait_for_end, args=(interrupt,), daemon=True).start()
    async with Sandbox(options) as sandbox:
        if not options.attached:
            print(_welcome(sandbox.ready, options.speed), flush=True)
        await interrupted.wait()


def _wait_for_end(interrupt: Callable[[], None]) -> None:
    sys.stdin.buffer.read()
    interrupt()


def _check_writable(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        _end(f"the ready file '{file}' cannot be written: {error.strerror}", USAGE)


def _welcome(ready: dict[str, Any], speed: float) -> str:
    hidden = ("owner", "env")
    shown = {name: value for name, value in ready.items() if isinstance(value, str) and name not in hidden}
    addresses = "\n".join(f"  {name:<13} {value}" for name, value in shown.items())
    on = Stage(ready)
    model = on.model_registered("fraud-net", "1", {"stage": "production", "accuracy": "0.95"})
    failure = on.run_status_changed("train-42", "Failed")
    return f"""The sandbox is up: a simulated Azure, {speed:g} times faster. Ctrl-C stops it.

{addresses}

Three things to try:

1. Register a model; it is deployed in about {540 / speed + 10:.0f} s:
{_curl(ready, model)}
2. Report a failed run; the inbox shows the notifications:
{_curl(ready, failure)}
  curl -s {ready["inbox"]}
3. The responses and their outcomes:
  curl -s {ready["functions"]}/api/v1/responses
"""


def _curl(ready: dict[str, Any], event: dict[str, Any]) -> str:
    body = json.dumps([event])
    return f"  curl -s {ready['event_grid']} -H 'Content-Type: application/json' -d '{body}'"


def _end(text: str, code: int) -> NoReturn:
    """End at once: a thread that still runs an activity would keep the interpreter alive."""
    if text:
        print(f"Error: {text}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    command()
