"""What the app reaches beyond Resource Manager: mail, webhooks, streams, CI and issues, each at its host."""

from aiohttp import web

from sandbox.azure.faults import Faults
from sandbox.azure.identity import Identity
from sandbox.azure.rights.assignments import Rights
from sandbox.azure.stream_targets import StreamTargets
from sandbox.devops.devops import DevOps
from sandbox.github.github import GitHub
from sandbox.inboxes.communication_services import Communication
from sandbox.inboxes.inbox import Inbox
from sandbox.inboxes.message_broker import MessageBroker
from sandbox.inboxes.streams import Streams
from sandbox.jira.jira import Jira


class OutsideServices:
    """Every service at a host of its own; an unknown host is a webhook's."""

    def __init__(self, inbox: Inbox, identity: Identity, rights: Rights, faults: Faults) -> None:
        self.github = GitHub(inbox)
        self.devops = DevOps(inbox, identity)
        self.streams = StreamTargets()
        self.broker = MessageBroker(inbox, identity, rights, self.streams, faults)
        self.jira = Jira(inbox)
        self._inbox = inbox
        self._communication = Communication(inbox, identity, rights)
        self._middlewares = (
            faults.middleware,
            Streams(inbox, identity, rights, self.streams).middleware,
            self.github.middleware,
            self.devops.middleware,
            self.jira.middleware,
        )

    def application(self) -> web.Application:
        """The services, to be served over TLS, and once more without."""
        application = self._inbox.application(*self._communication.routes())
        application.middlewares.extend(self._middlewares)
        return application
