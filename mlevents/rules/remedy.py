"""Messages are "fact: remedy" or "fact (did you mean 'x'?)": this takes the two apart."""

import re

_GUESS = re.compile(r"(?P<fact>.*?) \((?P<guess>did you mean .*\?)\)(?P<rest>.*)", re.DOTALL)
_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|\([^()]*\)|\{[^{}]*\}""")
_VERBS = re.compile(
    "add|align|ask|begin|break|choose|compare|convert|correct|create|deploy|describe|fix|flatten|give|ignore|"
    "install|keep|leave|list|make|move|name|pass|put|remove|rename|save|say|set|split|take|try|use|write"
)
"""The words with which a remedy begins."""


def split_remedy(text: str) -> tuple[str, str]:
    """The fact of a message, and its remedy; the remedy is empty where the message has none."""
    if found := _GUESS.fullmatch(text):
        rest = found["rest"].removeprefix(": ")
        return found["fact"], f"{found['guess']} {rest}".strip()
    masked = _QUOTED.sub(lambda quoted: "\0" * len(quoted[0]), text)
    for colon in re.finditer(": ", masked):
        word = re.match("[a-z]*", masked[colon.end() :])
        if word and _VERBS.fullmatch(word[0]):
            return text[: colon.start()], text[colon.end() :]
    return text, ""
