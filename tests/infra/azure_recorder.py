"""Stands in for `az`, `azd` and `func` on the PATH: checks what it is asked, records it, answers from a file.

It runs as a program of its own: `RECORDER` names a JSON file with what Azure has, and `calls` is added to it;
`RECORDER_TABLE` is the repository, whose table of commands says which options it takes.
"""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, os.environ.get("RECORDER_TABLE", str(Path(__file__).parents[2])))

from tests.infra.command_table import Invocation, parse

TYPES = {"string": str, "bool": bool, "int": int, "array": list, "object": dict}


def check_parameters(options: dict[str, str]) -> dict[str, Any]:
    """A deployment's parameters; leaves when the template does not declare them so."""
    declared = Path(options["--template-file"]).read_text()
    found = re.findall(r"^param (\w+) (\w+)( =)?", declared, re.MULTILINE)
    names, types = {name: default for name, _, default in found}, {name: kind for name, kind, _ in found}
    document = json.loads(Path(options["--parameters"].removeprefix("@")).read_text())
    given = {name: one["value"] for name, one in document["parameters"].items()}
    required = {name for name, default in names.items() if not default}
    if not required <= set(given) <= set(names):
        sys.exit(f"InvalidTemplate: wants {sorted(required)} of {sorted(names)}, found {sorted(given)}")
    wrong = [name for name, value in given.items() if type(value) is not TYPES[types[name]]]
    if wrong:
        sys.exit(f"InvalidTemplate: the values of {wrong} are not of the declared type")
    return given


State = dict[str, Any]
Options = dict[str, str]


def show_provider(state: State, options: Options) -> Any:
    registered = options["--namespace"] in state["providers"]
    return {"registrationState": "Registered" if registered else "NotRegistered"}


def show_resource(state: State, options: Options) -> Any:
    if options["--ids"] not in state["resources"]:
        sys.exit(f"ERROR: (ResourceNotFound) {options['--ids']} was not found")
    return {"location": "westeurope"}


def list_functions(state: State, options: Options) -> Any:
    return [{"name": f"{options['--name']}/{name}"} for name in state["functions"]]


def list_subscriptions(state: State, options: Options) -> Any:
    return [{"name": name} for name in state["topics"][options["--system-topic-name"]]["subscriptions"]]


def delete_topic(state: State, options: Options) -> None:
    del state["topics"][options["--name"]]


def delete_subscription(state: State, options: Options) -> None:
    state["topics"][options["--system-topic-name"]]["subscriptions"].remove(options["--name"])


def delete_assignment(state: State, options: Options) -> None:
    state["assignments"] = [one for one in state["assignments"] if one["id"] != options["--ids"]]


def rest(state: State, options: Options) -> Any:
    if options["--method"] == "post":
        state["refreshed"] = [*state.get("refreshed", []), options["--url"]]
        return None
    found = state.get("references", {})
    head = options["--url"].split("?")[0]
    return {"value": [{"id": f"{head}/{name}", "properties": {"status": found[name]}} for name in found]}


def delete_role(state: State, options: Options) -> None:
    state["roles"] = [one for one in state["roles"] if one["name"] != options["--name"]]


ANSWERS: dict[str, Callable[[State, Options], Any]] = {
    "account show": lambda state, _: {"id": state["subscription"]},
    "provider show": show_provider,
    "resource show": show_resource,
    "functionapp function list": list_functions,
    "functionapp keys list": lambda state, _: state["keys"],
    "functionapp config appsettings list": lambda state, _: state["settings"],
    "resource list": lambda state, _: state["apps"],
    "eventgrid topic-type list-event-types": lambda state, _: [{"name": one} for one in state["types"]],
    "eventgrid system-topic list": lambda state, _: list(state["topics"].values()),
    "eventgrid system-topic show": lambda state, options: state["topics"][options["--name"]],
    "eventgrid system-topic delete": delete_topic,
    "eventgrid system-topic event-subscription list": list_subscriptions,
    "eventgrid system-topic event-subscription delete": delete_subscription,
    "role assignment list": lambda state, _: state["assignments"],
    "role assignment delete": delete_assignment,
    "role definition list": lambda state, _: state["roles"],
    "role definition delete": delete_role,
    "rest": rest,
    "deployment sub create": lambda state, _: {"properties": {"outputs": state["outputs"]}},
    "deployment sub show": lambda state, _: {"properties": {"outputs": state["outputs"]}},
}
"""What Azure says, and what becomes of it; nothing for the commands that are not here."""


def taken(found: Invocation) -> Options:
    """The options with their value, by the name they were given; a flag's value is empty."""
    return {name: " ".join(values) for name, values in found.options.items()}


def main() -> None:
    """Answer one call."""
    path, program, words = Path(os.environ["RECORDER"]), Path(sys.argv[0]).name, sys.argv[1:]
    state = json.loads(path.read_text())
    call: dict[str, Any] = {"program": program, "words": words}
    found, problems = parse(program, words)
    if problems:
        sys.exit("\n".join(problems))
    if program == "az":
        command, options = found.command, taken(found)
        call |= {"command": command, "options": options}
        if command == "deployment sub create":
            call["parameters"] = check_parameters(options)
            call["template"] = Path(options["--template-file"]).name
        print(json.dumps(ANSWERS.get(command, lambda *_: None)(state, options)))
    if program == "azd" and found.command == "env set":
        state["azd"] = Path(taken(found)["--file"]).read_text()
    state["calls"].append(call)
    path.write_text(json.dumps(state))


if __name__ == "__main__":
    main()
