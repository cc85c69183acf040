"""apprise's services by how they treat text: some show it as it is, some read markup in it.

mlevents refuses a service that is in neither list.
"""

from __future__ import annotations

import re

PLAIN_TEXT_SERVICES = frozenset(
    {
        "json",
        "jsons",
        "xml",
        "xmls",
        "form",
        "forms",
        "mqtt",
        "mqtts",
        "amqp",
        "amqps",
        "syslog",
        "rsyslog",
        "mailto",
        "mailtos",
        "azure",
        "o365",
        "mailgun",
        "sendgrid",
        "ses",
        "smtp2go",
        "sparkpost",
        "postmark",
        "resend",
        "brevo",
        "mailersend",
        "sns",
        "twilio",
        "vonage",
        "nexmo",
        "bulksms",
        "clicksend",
        "msgbird",
        "plivo",
        "sinch",
        "d7sms",
        "elks",
        "46elks",
        "voipms",
        "pover",
        "pbul",
        "prowl",
        "join",
        "ifttt",
        "gotify",
        "gotifys",
        "ntfy",
        "ntfys",
        "fcm",
        "onesignal",
        "windows",
        "dbus",
        "gnome",
        "macosx",
    }
)
"""Schemas of services that show text as it is."""

CHAT_SERVICES = frozenset(
    {
        "workflow",
        "workflows",
        "slack",
        "discord",
        "mmost",
        "mmosts",
        "zulip",
        "guilded",
        "tgram",
        "gchat",
        "matrix",
        "matrixs",
        "rocket",
        "rockets",
        "webex",
        "wxteams",
        "twist",
        "revolt",
        "ryver",
        "flock",
        "nctalk",
        "nctalks",
        "synology",
        "synologys",
        "signal",
        "signals",
        "whatsapp",
        "line",
        "viber",
        "feishu",
        "lark",
        "dingtalk",
        "wecombot",
        "mastodon",
        "mastodons",
        "github",
        "pagerduty",
        "opsgenie",
        "splunk",
        "victorops",
        "signl4",
        "spike",
        "betterstack",
        "xmatters",
    }
)
"""Schemas of services that read markup, mentions or addresses; `chat_text.neutralize_text` removes them.

A test checks for each what apprise really sends.
"""

KNOWN_SERVICES = PLAIN_TEXT_SERVICES | CHAT_SERVICES

NATIVE_ADDRESS = re.compile(
    r"https://(?:"
    r"hooks\.slack\.com/(?:services|workflows|triggers)/"
    r"|[\w.-]+(?::\d+)?(?:/powerautomate/automations/direct(?:/cu/\d+)?)?"
    r"/workflows/[\w-]+/triggers/manual/paths/invoke/?\?"
    r")",
    re.IGNORECASE | re.ASCII,
)
"""How the addresses begin that Slack and Teams show. Both are known, without the import of apprise."""
