"""A text that is in every text which fits a regular expression of RE2.

Expressions ignore case by Unicode's rules, texts are folded by ASCII's: RE2 takes the Kelvin sign for a `k`
and the long s for an `s`. So these two letters, and all that is not ASCII, are never part of the literal.
https://github.com/google/re2/wiki/Syntax
"""

import re

_TOKEN = re.compile(
    r"""
    (?P<unknown> \\[0-9xpPQE] )                  # where it ends depends on what follows
  | (?P<literal> \\[^\w\s] | [^\\\[\](){}.*+?^$|kKsS\x80-\U0010ffff] )
  | (?P<class>   \[\^?\]?(?: \\. | \[:\^?\w+:\] | [^\]\\] )*\] )
  | (?P<drop>    [*?] | \{[^}]*\} | \(\?[a-zA-Z-]*\) )   # what is before it may be repeated 0 times
  | (?P<open>    \( )
  | (?P<close>   \) )
  | (?P<choice>  \| )
  | (?P<gap>     \\. | . )
    """,
    re.VERBOSE | re.DOTALL,
)


def find_literal(pattern: str) -> str:
    """The longest literal outside of groups, in lower case; empty when none is certain."""
    runs, depth = [""], 0
    for token in _TOKEN.finditer(pattern):
        kind, text = token.lastgroup, token.group()
        depth += (kind == "open") - (kind == "close")
        if kind == "unknown" or (kind == "choice" and not depth):
            return ""
        if kind == "literal" and not depth:
            runs[-1] += text[-1].lower()
        elif kind == "drop":
            runs[-1:] = [runs[-1][:-1], ""]
        else:
            runs.append("")
    return max(runs, key=len)
