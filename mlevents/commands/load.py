"""`load`: give an endpoint of the running sandbox synthetic traffic."""

from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import typer

from mlevents.commands.command import AsJson, command, exit_with_error, print_json, print_line
from mlevents.commands.running_sandbox import ReadyFileOption, find_sandbox
from mlevents.commands.sandbox_client import SandboxClient, SandboxRefusal, exit_without_answer
from mlevents.duration import parse_duration
from mlevents.registry import suggest_names

MOST_RPS = 100_000

LoadedEndpoint = Annotated[str, typer.Argument(metavar="ENDPOINT", help="An online endpoint of the sandbox.")]
RequestRate = Annotated[
    float, typer.Option("--rps", min=0, max=MOST_RPS, help="Requests in each of Azure's seconds; 0 stops.")
]
ErrorRate = Annotated[
    float | None,
    typer.Option("--errors", min=0, max=1, show_default=False, help="The share that fails, such as 0.02."),
]
Latency = Annotated[
    str | None, typer.Option("--latency", show_default=False, help="How long each takes, such as 120ms.")
]
DeploymentName = Annotated[
    str | None,
    typer.Option("--deployment", show_default=False, help="One deployment, whatever the traffic map says."),
]
EndpointWorkspace = Annotated[
    str | None,
    typer.Option("--workspace", show_default=False, help="Its workspace, where several have the endpoint."),
]


@command("load")
def send_load(  # noqa: PLR0913, PLR0917 - a command's options are its function's parameters
    endpoint: LoadedEndpoint,
    rps: RequestRate,
    errors: ErrorRate = None,
    latency: Latency = None,
    deployment: DeploymentName = None,
    workspace: EndpointWorkspace = None,
    ready_file: ReadyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Give an endpoint of the running sandbox synthetic traffic, until it is changed.

    Without --errors and --latency, the tags of each model decide.
    """
    optional = {"deployment": deployment, "error_rate": errors, "latency_ms": _read_latency(latency)}
    stream = {"endpoint": endpoint, "rps": rps, **{k: v for k, v in optional.items() if v is not None}}
    client = SandboxClient(find_sandbox(ready_file))
    if workspace:
        stream["workspace"] = client.choose_workspace(workspace)
    with exit_without_answer():
        _send_stream(client, stream)
    if as_json:
        print_json(stream)
    else:
        _show_stream(stream)


def _send_stream(client: SandboxClient, stream: dict[str, Any]) -> None:
    deployment = stream.get("deployment")
    if deployment and stream["rps"]:
        _check_deployment(client, stream)
    try:
        for one in [stream] if stream["rps"] or deployment else _find_streams(client, stream):
            client.set_stream(one)
    except SandboxRefusal as refusal:
        _refuse_endpoint(client, stream, refusal)


def _read_latency(text: str | None) -> float | None:
    """The milliseconds of a duration."""
    try:
        return None if text is None else parse_duration(text) * 1000
    except ValueError as error:
        exit_with_error(f"--latency: {error}")


def _find_streams(client: SandboxClient, stream: dict[str, Any]) -> list[dict[str, Any]]:
    """What ends all traffic of an endpoint: its own and that of each of its deployments."""
    same = [one for one in client.list_streams() if one["endpoint"].lower() == stream["endpoint"].lower()]
    known = [one for one in same if one.get("workspace") == stream.get("workspace")]
    return [stream, *({**one, "rps": 0} for one in known if "deployment" in one)]


def _list_names(client: SandboxClient, stream: dict[str, Any], path: str) -> list[str]:
    """The names of a collection in the workspace, or in all."""
    ids = [stream["workspace"]] if "workspace" in stream else client.list_workspaces()
    return [name for id_ in ids for name in client.list_names(f"{id_}/onlineEndpoints{path}")]


def _check_deployment(client: SandboxClient, stream: dict[str, Any]) -> None:
    endpoint, deployment = stream["endpoint"], stream["deployment"]
    known = _list_names(client, stream, f"/{quote(endpoint, safe='')}/deployments")
    if deployment.lower() not in map(str.lower, known):
        if not known:
            _refuse_endpoint(client, stream, SandboxRefusal(404, f"'{endpoint}' has no deployment"))
        exit_with_error(f"'{endpoint}' has no deployment '{deployment}'{suggest_names(deployment, known)}")


def _refuse_endpoint(client: SandboxClient, stream: dict[str, Any], refusal: SandboxRefusal) -> NoReturn:
    """Exit with the endpoints that exist, or with what the sandbox says about the traffic."""
    endpoint, known = stream["endpoint"], _list_names(client, stream, "")
    if refusal.status != 404 or endpoint.lower() in map(str.lower, known):
        exit_with_error(refusal.text)
    if not known:
        exit_with_error(
            f"there is no endpoint '{endpoint}', nor any other: a rule has to deploy a model first"
        )
    exit_with_error(f"there is no endpoint '{endpoint}'{suggest_names(endpoint, known)}")


def _show_stream(stream: dict[str, Any]) -> None:
    target = f"{stream['endpoint']}{'/' + stream['deployment'] if 'deployment' in stream else ''}"
    if not stream["rps"]:
        print_line((target, "bold"), " gets no synthetic traffic")
        return
    said = [f"{stream['error_rate']:.3g} of them fail"] if "error_rate" in stream else []
    said += [f"each takes {stream['latency_ms']:g} ms"] if "latency_ms" in stream else []
    tail = f" ({', '.join(said)})" if said else ""
    print_line((target, "bold"), f" gets {stream['rps']:g} requests in each of Azure's seconds{tail}")
    print_line("Stop it: ", (f"mlevents load {stream['endpoint']} --rps 0", "bold"))
