"""Messages as their readers see them: the card by Microsoft's renderer, the mail as a page."""

import json
from pathlib import Path

from playwright.sync_api import Page

from mlevents.actions.notify.message_templates import render
from mlevents.services.chat.adaptive_card import build_card_message
from mlevents.services.connection import Message
from mlevents.services.mail.html_mail import build_html
from mlevents.services.message_document import parse_message
from tests.processes.node_package import install_packages
from tests.unit.stand_ins import WORKSPACE, step

PACKAGES = Path(__file__).parent / "cards"
SCRIPTS = ("adaptivecards/dist/adaptivecards.min.js", "markdown-it/dist/markdown-it.min.js")
COLORS = {
    "light": ("#ffffff", "#f5f5f5", "#242424", "#616161"),
    "dark": ("#292929", "#1f1f1f", "#ffffff", "#adadad"),
}
"""Of a card in Teams: its background, that of a container in it, its text, and subtle text."""
BUTTON = """.ac-pushButton { background: none; border: 1px solid #8a8a8a; border-radius: 4px; color: inherit;
  font: 600 14px 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; padding: 6px 16px; }"""
DRAW = """([card, host]) => {
  const shown = new AdaptiveCards.AdaptiveCard();
  shown.hostConfig = new AdaptiveCards.HostConfig(host);
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdownit({linkify: true}).render(text);
    result.didProcess = true;
  };
  shown.parse(card);
  document.getElementById("card").appendChild(shown.render());
}"""
"""Like Teams, with every Markdown and every address that its reader could take for a link."""
LONG_PATH = "/mnt/azureml/cr/j/0123456789abcdef0123456789abcdef/exe/wd/train"
REASON = {
    "code": "UserError",
    "message": "the step 'train' failed",
    "cause": "OutOfMemory",
    "children": [
        {"name": "train", "code": "OutOfMemory", "message": f"used more than 28 GB; see {LONG_PATH}"}
    ],
    "duration": 4320.0,
    "compute": "gpu-cluster",
    "owner": "Ada Lovelace",
    "log_file": "user_logs/std_log.txt",
    "log": [
        "Epoch 3/10, loss 0.231",
        "Traceback (most recent call last):",
        f'  File "{LONG_PATH}.py", line 88, in train',
        "    model.fit(features, labels)",
        "MemoryError: Unable to allocate 12.4 GiB for an array with shape 1664000 x 1000",
    ],
}
LINKS = ("https://ml.azure.com/", "https://func-ml.azurewebsites.net/")
NAMES = {
    "run": {
        "id": "olive_drum_zq1x7k0f",
        "experiment": "nightly-training",
        "status": "Failed",
        "type": "command",
    },
    "workspace": {"id": WORKSPACE, "name": "ml-prod"},
    "response": {"link": f"{LINKS[1]}api/console/responses/report-failed-runs.5f2b9c1e"},
}
CONTEXT = step(NAMES, id="report-failed-runs.5f2b9c1e", rule="report-failed-runs")
FAILED_RUN = Message(*render("run-failed", CONTEXT, REASON), "key", LINKS)
"""The message of a template of mlevents."""


def show_card(page: Page, message: Message, theme: str = "light") -> None:
    """The page shows the card, on the background of a channel."""
    card, container, text, subtle = COLORS[theme]
    page.set_content(
        f"<!DOCTYPE html><html lang=en><title>card</title><style>{BUTTON}</style>"
        f"<body style='margin: 16px; background: {container}; color: {text}'>"
        f"<main id=card style='max-width: 640px; background: {card}; border-radius: 6px'></main>"
    )
    for name in SCRIPTS:
        page.add_script_tag(path=install_packages(PACKAGES) / "node_modules" / name)
    look = {"default": {"default": text, "subtle": subtle}}
    host = {
        "fontFamily": "'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
        "spacing": {"padding": 16},
        "containerStyles": {
            "default": {"backgroundColor": card, "foregroundColors": look},
            "emphasis": {"backgroundColor": container, "foregroundColors": look},
        },
    }
    built = json.loads(json.dumps(build_card_message(parse_message(message))))
    page.evaluate(DRAW, [built["attachments"][0]["content"], host])


def show_mail(page: Page, message: Message) -> None:
    """The page shows the mail, as a mail program does."""
    page.set_content(build_html(message))
