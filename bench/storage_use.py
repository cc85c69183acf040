"""What storage does for a response: bytes that stay, and requests by the service that bills them."""

from dataclasses import dataclass, fields

PRICES = {
    "table_requests": 0.00036 / 10_000,
    "queue_requests": 0.004 / 10_000,
    "blob_writes": 0.05 / 10_000,
    "blob_reads": 0.004 / 10_000,
}
"""US dollars a request, as in docs/costs.md; a lease costs what a read does, deleting a blob nothing."""
GB_MONTH = {"table_bytes": 0.045, "blob_bytes": 0.0184}
"""US dollars for a GB stored for a month, as assumed in docs/costs.md."""


@dataclass(frozen=True, slots=True)
class StorageUse:
    """Bytes stored until they are purged, and requests to the storage account."""

    table_bytes: int = 0
    blob_bytes: int = 0
    table_requests: int = 0
    queue_requests: int = 0
    blob_writes: int = 0
    blob_reads: int = 0

    def __add__(self, other: "StorageUse") -> "StorageUse":
        names = [one.name for one in fields(StorageUse)]
        return StorageUse(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def bytes(self) -> int:
        """Everything that stays."""
        return self.table_bytes + self.blob_bytes

    @property
    def requests(self) -> int:
        """Every request, of whatever price."""
        return self.table_requests + self.queue_requests + self.blob_writes + self.blob_reads

    def monthly_dollars(self, times: float, retention_days: float) -> float:
        """What it costs to do this so many times in 30 days, and to store each for the retention."""
        requests = sum(float(getattr(self, name)) * price for name, price in PRICES.items())
        stored = sum(float(getattr(self, name)) * price for name, price in GB_MONTH.items()) / 1e9
        return requests * times + stored * times * retention_days / 30
