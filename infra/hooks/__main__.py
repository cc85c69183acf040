"""`python -m infra.hooks STEP`: what azd and infra/deploy.sh run around a deployment."""

import os
import sys
from collections.abc import Callable, Mapping

from infra.hooks import access, app, app_secret, events, host_file, key_vault, package, preflight
from infra.hooks.parameters import read_parameters
from infra.hooks.programs import HookError, say
from infra.hooks.rule_environment import SETTING, choose_environment, keep_environment
from mlevents.errors import ConfigError, RulesError


def prepare(environment: Mapping[str, str]) -> None:
    """Before azd provisions: check rules and Azure, then keep the app's secret in azd's environment."""
    chosen = choose_environment(environment)
    keep_environment(environment, chosen.get(SETTING, ""))
    parameters = read_parameters(chosen)
    preflight.prepare(chosen, parameters)
    app_secret.keep_secret(environment, parameters)


def build_package(words: list[str], environment: Mapping[str, str]) -> None:
    """Before the package is made; words are parameters of main.bicep, over their file."""
    backend = host_file.choose_backend(read_parameters(environment, words))
    package.build(choose_environment(environment))
    host_file.write_backend(backend)


STEPS: dict[str, Callable[[list[str]], None]] = {
    "preprovision": lambda _: prepare(os.environ),
    "prepackage": lambda words: build_package(words, os.environ),
    "postpackage": lambda _: host_file.restore(),
    "predeploy": lambda _: access.check_and_grant(choose_environment(os.environ)),
    "postdeploy": lambda _: events.subscribe(choose_environment(os.environ)),
    "refresh": lambda _: key_vault.refresh(os.environ),
    "predown": lambda _: events.leave(os.environ),
    "deploy": lambda words: app.deploy(words, os.environ),
    "down": lambda words: app.take_down(words, os.environ),
}


def main(words: list[str]) -> int:
    """Run one step; 0 when it went well, 1 with a word why when it did not, 2 when there is no such step."""
    if not words or words[0] not in STEPS:
        say(f"usage: python -m infra.hooks {{{','.join(STEPS)}}}")
        return 2
    try:
        STEPS[words[0]](words[1:])
    except (HookError, ConfigError, RulesError) as error:
        say(f"mlevents: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
