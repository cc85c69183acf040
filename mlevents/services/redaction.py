"""Find and remove secrets in errors, logs and answers.

By value: the values of the app's settings. By name: values that are assigned to the name of a secret. By
form: texts that look like a key or token of a service, by detect-secrets' detectors and by patterns here.
Entropy is not used: ids and hashes must stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from mlevents.services.own_secrets import known_secrets

HIDDEN = "…"
DETECTORS = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
"""detect-secrets' detectors of forms, by module; those by entropy, address or context are not used."""

SECRET_WORDS = (
    r"(?:passwords?|passwd|passphrase|passcode|pwd|secrets?|credentials?"
    r"|(?<![a-z])(?:pass|pw|auth|key[12])|[a-z0-9]_(?:key|pw|pass|auth)|sas[-_]?key"
    r"|(?<![a-z])(?:token|pat|psk)|(?<=[a-z])Token|_PAT"
    r"|api[-_ ]?key|apikey|(?:sas|security|session|access|refresh|id|auth|bearer|bot|deploy)[-_]?token"
    r"|(?:access|account|primary|secondary|shared|shared[-_]?access|master|private|secret|storage|functions?"
    r"|host|system|default|subscription|signing|encryption|instrumentation|admin|auth|client|service|license"
    r"|webhook|cosmos|search|vault|workspace|registry|speech|vision|maps|batch|hmac|aes|ssh|deploy|integration"
    r"|routing|app|server|web)[-_ ]?key\d?"
    r"|connection[-_ ]?string|conn[-_]?str|(?<![a-z])sas(?:[-_]?ur[il])?|(?<![a-z])sig|signature"
    r"|x-functions-key|webhook[-_]?url|cookie|session[-_]?id)"
)
AFTER = (
    r"(?:[-_]?(?:value|string|text|plain|hash|b64|base64|prod|production|dev|test|stage|staging|old|new"
    r"|\d{1,2}))?"
)
ASSIGNED = re.compile(
    rf"""(?P<name>(?<![\w%])(?:--?)?[\w.-]{{0,60}}?{SECRET_WORDS}{AFTER}(?![\w-]))"""
    r"""(?P<sign>\\{0,3}["'`]?\s*\]?\)?\s*(?:=>|:=|==?|:|%3[DdAa]|,(?=\s*\\{0,3}["']))\s*\[?)"""
    r"""(?P<scheme>(?:(?:bearer|basic|digest|token|apikey|sharedkey|negotiate)\s+)?)"""
    r"""(?P<value>(?P<quote>\\{0,3}(?:\"{3}|'{3}|["'`]))(?P<inner>.*?)(?P=quote)|[^\s"'`,;&<>(){}\[\]]+)""",
    re.IGNORECASE | re.DOTALL,
)
PROSE = re.compile(
    r"(?:not|no|none|null|nil|empty|missing|required|invalid|incorrect|wrong|expired|unset|undefined|is|was|are|has"
    r"|the|a|an|for|of|to|in|must|cannot|could|should|with|from|and|or|true|false|unauthorized|forbidden|failed"
    r"|denied|rotated|unknown|changed|\*+|…|xxx+|<.*|\$\{.*|\{\{.*|\[?redacted\]?|@microsoft\.keyvault.*)[.!]?",
    re.IGNORECASE,
)
"""Words that follow such a name in a sentence, or a placeholder for a secret."""
SPOKEN = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z][A-Za-z]+(?:Error|Exception|Credential|Token))[.:!?]?")
LOOSE = re.compile(
    r"(?:tokens?|\w*credentials?|signature|cookie|authorization|secret|sas|primary[-_ ]key)", re.IGNORECASE
)
"""Names of one word that sentences use too: an ordinary word after them is not a secret."""
WEAK = re.compile(r"(?:--?)?(?:pass|auth|pw|key[12]|[\w.-]*[a-z0-9]_(?:key|auth|pass))", re.IGNORECASE)
"""Names that often mean something else: a column, a switch, a step that passed."""
SHORTEST_KEY = 6
FLAG = re.compile(
    rf"(?P<head>(?<!\S)--?[\w-]{{0,40}}?{SECRET_WORDS}{AFTER}\s+)(?P<quote>[\"']?)(?!-)[^\s\"']+",
    re.IGNORECASE,
)
AT_RANDOM = (
    r"(?-i:(?![A-Za-z_.-]*\d{0,6}(?![\w~+/=-]))(?=[^\s\"']{0,200}?\d)(?=[^\s\"']{0,200}?[a-z])(?=[^\s\"']{0,200}?[A-Z])"
    r"[\w~.+/=-]{16,}|(?=(?:[a-z]{0,40}\d){3})[a-z0-9]{24,}|[0-9A-Fa-f]{32,}(?![\w-]))"
)
"""A value that is not a word or a name: letters mixed with digits, or long."""
USUAL = (
    r"(?<![a-z])(?:(?:[a-z]{1,20}[-_ ]?)?(?:codes?|assertions?|keys|tokens)|logins?|saml[-_]?response|t?otp"
    r"|response|c?nonce)\\{0,3}[\"']?\s*[:=]\s*"
)
"""Names of which most values are ordinary (`code=404`, `tokens: 4096`), and some are secrets."""
HEADS = (
    # Authorization headers, whatever their scheme and parameters, and schemes without a header
    r"(?P<h1>\b(?:proxy-)?authorization\\{0,3}[\"']?\s*[:=]\s*\\{0,3}[\"']?(?:[\w-]+\s+)?)[^\s\"'\\,;][^\s\"'\\]*",
    r"(?P<h2>\bSharedAccessSignature\s+)[^\s\"']+",
    r"(?P<h3>\b(?:bearer|basic)\s+)(?=\S*[\d=._~+/-]|\S{24})[\w.~+/=-]{8,}",
    # URLs: a password with or without a user, a token as the user; values of queries
    r"(?P<h4>(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://[^\s/:@?#\"']{0,100}:)(?!\d{1,5}(?:[/?#\s]|$))[^\s@\"'<>]{1,500}(?=@)",
    r"(?P<h5>\bhttps?://)[^\s/:@?#\"']{16,}(?=@)",
    r"(?P<h6>[?&;](?:amp;)?(?:code|key|sig|sign|signature|subscription-key|sv_sig|st|apikey|clientid_secret)=)"
    r"(?<!;st=)[^\s\"'&#;<>]+",
    r"(?P<h7>\bhttps://(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks"
    r"|[\w.-]+\.webhook\.office\.com|chat\.googleapis\.com)/)[^\s\"'<>]+",
    # command lines and files of programs
    r"(?P<h8>(?<!\S)(?:-u|--user)\s+[\"']?[^\s:\"']+:)[^\s\"']+",
    r"(?P<h9>\blogin\s+\S+\s+password\s+)\S+",
    r"(?P<h10>(?<!\S)-p\s*[\"']?)(?=\S*\d)(?!\d+(?::\d+)*(?!\S))\S{6,}",
    r"(?P<h11>\b(?:set-)?cookie:\s*)[^\r\n]+",
    r"(?P<h12><(?P<tag>[\w:.-]{0,60}?" + SECRET_WORDS + r")(?:\s[^>]{0,200})?>)[^<]+(?=</)",
    r"(?P<h13>\b(?:AccountKey|SharedAccessKey|SharedSecretValue|Pwd|Password)\s*=(?!>)\s*)[^\s;\"']+",
    r"(?P<h16>\b(?:password|passwd|passphrase|requirepass|api-?\s?key)\s+(?:is\s+)?[\"']?)"
    r"(?=[^\s\"']*\d)(?=[^\s\"']*[a-z])[^\s\"']{6,}",
    r"(?P<h17>\"keyName\"\s*:\s*\"[^\"]{0,100}\"\s*,\s*\"value\"\s*:\s*\")[^\"]+",
    r"(?P<h14>\bSharedKey(?:Lite)?\s+[^\s:]+:)[^\s\"']+",
    rf"(?P<h18>{USUAL}\\{{0,3}}[\"']?){AT_RANDOM}",
    rf"(?P<h19>{USUAL}\[\s*)\\{{0,3}}[\"']{AT_RANDOM}[^\]]*",
    r"(?P<h15>\bConnectionStrings(?::|__)\w+\s*=\s*)[^\s\"']+",
)
HEAD = tuple(re.compile(text, re.IGNORECASE) for text in HEADS)
FORMS = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)"
    r"|\bPuTTY-User-Key-File-\d.*"
    r"|\beyJ[\w-]{10,}\.[\w-]*(?:\.[\w-]*)?"
    r"|(?<![\w/+])[A-Za-z0-9+/]{86}==|(?<![\w/+])[A-Za-z0-9+/]{43}=(?![\w=])"
    r"|(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}"
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|hf_|npm_|dop_v1_|shpat_|sq0(?:atp|csp)-|xox[abeoprs]-|xapp-)[\w-]{10,}"
    r"|\bsk-(?:ant-|proj-|svcacct-|or-)?[\w-]{20,}|\b[srp]k_(?:live|test)_\w{10,}|\bwhsec_[\w+/=-]{16,}"
    r"|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}|\bdapi[0-9a-f]{32}|\bpypi-[\w-]{30,}|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    r"|\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b|\bAGE-SECRET-KEY-\w+|\bnvapi-[\w-]{20,}|\bhvs\.[\w-]{20,}"
    r"|\b[a-z2-7]{52}\b|\b\w{32,}AZDO\w{4}\b|\b\d{8,10}:AA[\w-]{30,}",
    re.DOTALL,
)


def redact(text: str) -> str:
    """The text with … in place of every secret that is found."""
    for secret in known_secrets():
        text = text.replace(secret, HIDDEN)
    text = FORMS.sub(HIDDEN, text)
    for pattern in HEAD:
        text = pattern.sub(_keeping_the_head, text)
    text = FLAG.sub(lambda found: f"{found['head']}{found['quote']}{HIDDEN}", text)
    text = ASSIGNED.sub(_assigned, text)
    for secret in _detected(text):
        text = text.replace(secret, HIDDEN)
    return text


def _keeping_the_head(found: re.Match[str]) -> str:
    heads = [text for name, text in found.groupdict().items() if text is not None and name.startswith("h")]
    return f"{heads[0]}{HIDDEN}"


def _assigned(found: re.Match[str]) -> str:
    """The assignment without its value; a sentence that only mentions a secret stays unchanged."""
    name, value = found["name"], found["inner"] if found["quote"] else found["value"]
    if not value or PROSE.fullmatch(value):
        return found[0]
    if WEAK.fullmatch(name) and (SPOKEN.fullmatch(value) or len(value) < SHORTEST_KEY):
        return found[0]
    in_a_sentence = not found["quote"] and ":" in found["sign"] and LOOSE.fullmatch(name)
    if in_a_sentence and SPOKEN.fullmatch(value):
        return found[0]
    quote = found["quote"] or ""
    return f"{name}{found['sign']}{found['scheme']}{quote}{HIDDEN}{quote}"


def _detected(text: str) -> Iterator[str]:
    for analyze in _analyzers():
        for found in analyze(text):
            if len(found) >= 8:
                yield found


@cache
def _analyzers() -> tuple[Callable[[str], Any], ...]:
    """detect-secrets' detectors, loaded at the first use."""
    modules = ((import_module(f"detect_secrets.plugins.{name}"), kind) for name, kind in DETECTORS.items())
    return tuple(getattr(module, kind)().analyze_string for module, kind in modules)
