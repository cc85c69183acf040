"""The same as `azd up` and `azd down`, by `az` and `func` alone."""

from collections.abc import Mapping

from infra.hooks import access, events, host_file, package, preflight
from infra.hooks.app_secret import PARAMETER, choose_secret
from infra.hooks.parameters import read_parameters
from infra.hooks.programs import HookError, az, deploy_template, outputs, run, say
from infra.hooks.rule_environment import SETTING, choose_environment
from infra.hooks.running_rollouts import name_rollouts


def deploy(words: list[str], environment: Mapping[str, str]) -> None:
    """Provision, grant, publish and subscribe; words are ENVIRONMENT LOCATION [parameter=value …]."""
    if len(words) < 2 or "=" in "".join(words[:2]) or not all("=" in word for word in words[2:]):
        raise HookError("usage: infra/deploy.sh ENVIRONMENT LOCATION [parameter=value …]")
    name, location = words[:2]
    known = {**environment, "AZURE_ENV_NAME": name, "AZURE_LOCATION": location}
    known["AZURE_SUBSCRIPTION_ID"] = known.get("AZURE_SUBSCRIPTION_ID") or az("account", "show")["id"]
    parameters = read_parameters(known, words[2:])
    known["MLEVENTS_RULES"] = parameters["rulesFile"]
    known[SETTING] = parameters["ruleEnvironment"]
    known = choose_environment(known)
    parameters["ruleEnvironment"] = known[SETTING]
    preflight.prepare(known, parameters)
    parameters[PARAMETER] = choose_secret(known, parameters)
    known |= deploy_template("main.bicep", f"mlevents-{name}", parameters, known)
    access.grant(known)
    name_rollouts(known)
    publish(known, host_file.choose_backend(parameters))
    events.subscribe(known)
    say(f"mlevents: runs at {known['MLEVENTS_URL']}")


def publish(environment: Mapping[str, str], backend: str) -> None:
    """Publish this folder as `func` does, with the dependencies built here."""
    app = environment["AZURE_FUNCTION_APP_NAME"]
    package.build(environment)
    host_file.write_backend(backend)
    try:
        done = run("func", "azure", "functionapp", "publish", app, "--python", "--no-build")
    finally:
        host_file.restore()
    if done.returncode != 0:
        raise HookError(f"the code was not published to '{app}' (see above)")


def take_down(words: list[str], environment: Mapping[str, str]) -> None:
    """Leave the workspaces as they were, and delete the app's resource group."""
    if len(words) != 1:
        raise HookError("usage: infra/deploy.sh --down ENVIRONMENT")
    known = dict(environment)
    known["AZURE_SUBSCRIPTION_ID"] = known.get("AZURE_SUBSCRIPTION_ID") or az("account", "show")["id"]
    place = ("--subscription", known["AZURE_SUBSCRIPTION_ID"])
    known |= outputs(az("deployment", "sub", "show", "--name", f"mlevents-{words[0]}", *place))
    events.leave(known)
    az("group", "delete", "--name", known["AZURE_RESOURCE_GROUP"], *place, "--yes")
