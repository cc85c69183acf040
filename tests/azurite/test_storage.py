"""What reads and writes Azure Storage, against Microsoft's own emulator."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from mlevents.errors import RefusedError
from mlevents.eventgrid.dead_letter_store import open_store
from mlevents.events.dead_letter import read_dead_letters
from mlevents.services.azure_credential import credential
from mlevents.services.services import Services
from mlevents.services.streams.storage_queue import StorageQueue
from mlevents.services.streams.stream import StreamMessage
from mlevents.settings import Settings
from tests.azurite.conftest import Azurite

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
LETTER = {
    "id": "e1",
    "topic": "/subscriptions/s",
    "subject": "models/net:7",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "eventTime": "2026-01-02T03:04:05Z",
    "data": {"modelName": "net", "modelVersion": "7"},
    "dataVersion": "2",
    "metadataVersion": "1",
    "deadLetterReason": "MaxDeliveryAttemptsExceeded",
    "deliveryAttempts": 30,
    "lastDeliveryOutcome": "Busy",
}


def test_dead_letters_are_listed_and_read_from_a_container(azurite: Azurite):
    container = ContainerClient(azurite.blobs, "dead-letters", credential())
    container.create_container()
    names = [f"ALERTS/2026/1/2/{hour}/letter-{hour}.json" for hour in range(3)]
    for name in names:
        container.upload_blob(name, json.dumps([LETTER]))
    container.upload_blob("OTHER/2026/1/2/3/letter.json", "[]")
    store = open_store(f"{azurite.blobs}/dead-letters/ALERTS")
    found = list(store.list_blobs())
    assert [blob.name for blob in found] == names
    assert {blob.size for blob in found} == {len(json.dumps([LETTER]))}
    [letter] = read_dead_letters(store.read(names[0]))
    assert getattr(letter, "reason", None) == "MaxDeliveryAttemptsExceeded"
    assert list(store.list_blobs(datetime.now(UTC) + timedelta(hours=1))) == []


def test_a_container_that_does_not_exist_is_named_with_a_remedy(azurite: Azurite):
    with pytest.raises(RefusedError, match=r"answered 404 .*: correct the address of the container"):
        list(open_store(f"{azurite.blobs}/nothing-here").list_blobs())


def test_an_event_is_put_on_a_queue_as_functions_read_it(azurite: Azurite):
    queue = QueueClient(azurite.queues, "ml-events", credential())
    queue.create_queue()
    stream = StorageQueue.model_validate({"account": azurite.queues, "queue": "ml-events"})
    body = json.dumps({"specversion": "1.0", "id": "k"}).encode()
    stream.forward(StreamMessage("k", {}, body, "application/json"), Services(Settings()))
    [message] = queue.receive_messages()
    assert base64.b64decode(message.content) == body
