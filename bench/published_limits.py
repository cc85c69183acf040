"""The limits that Azure's documentation publishes, each with its page."""

from dataclasses import dataclass

LEARN = "https://learn.microsoft.com/azure"
STORAGE_PAGE = f"{LEARN}/storage/common/scalability-targets-standard-account"
QUEUE_PAGE = f"{LEARN}/storage/queues/storage-performance-checklist"
TABLE_PAGE = f"{LEARN}/storage/tables/scalability-targets"
DURABLE_PAGE = f"{LEARN}/azure-functions/durable/durable-functions-azure-storage-provider"
SCHEDULER_PAGE = f"{LEARN}/durable-task/scheduler/durable-task-scheduler"
BILLING_PAGE = f"{LEARN}/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-billing"
FLEX_PAGE = f"{LEARN}/azure-functions/flex-consumption-plan"
EVENT_GRID_PAGE = f"{LEARN}/event-grid/quotas-limits"
ARM_PAGE = f"{LEARN}/azure-resource-manager/management/request-limits-and-throttling"

ACCOUNT_REQUESTS, ACCOUNT_REQUESTS_LARGE = 20_000, 40_000
QUEUE_MESSAGES = 2_000
MOST_PARTITIONS = 16
CONSUMPTION_ACTIONS, UNIT_ACTIONS, MOST_UNITS_OF_CAPACITY = 500, 2_000, 3
TOPIC_EVENTS = 5_000
ARM_READS, ARM_WRITES = 25, 10
CORES = {512: 0.25, 2_048: 1.0, 4_096: 2.0}
"""Cores of an instance by its memory in MB."""


@dataclass(frozen=True, slots=True)
class PublishedLimit:
    """What is limited, how far, and where Azure says so."""

    what: str
    limit: str
    page: str


LIMITS = (
    PublishedLimit(
        "a storage account: requests",
        f"{ACCOUNT_REQUESTS:,} a second; {ACCOUNT_REQUESTS_LARGE:,} in the regions that the page lists",
        STORAGE_PAGE,
    ),
    PublishedLimit(
        "a storage account: data in, data out", "25 Gbit/s, 50 Gbit/s; 60, 200 in these regions", STORAGE_PAGE
    ),
    PublishedLimit(
        "a queue: messages of 1 KB",
        f"{QUEUE_MESSAGES:,} a second; to put, get and delete one counts three times",
        QUEUE_PAGE,
    ),
    PublishedLimit(
        "a partition of a table: rows of 1 KB",
        "2,000 a second; each response and each entity is a partition of its own",
        TABLE_PAGE,
    ),
    PublishedLimit(
        "a task hub in a storage account: partitions (control queues)",
        f"4, at most {MOST_PARTITIONS}; one queue for all activities",
        DURABLE_PAGE,
    ),
    PublishedLimit("an entity in a storage account: operations", "64 a second", DURABLE_PAGE),
    PublishedLimit(
        "a scheduler, Consumption: actions",
        f"{CONSUMPTION_ACTIONS} a second; what has ended is kept for 30 days at most",
        BILLING_PAGE,
    ),
    PublishedLimit(
        "a scheduler, Dedicated: actions",
        f"{UNIT_ACTIONS:,} a second and 50 GB for each of at most {MOST_UNITS_OF_CAPACITY} capacity units; "
        "kept for 90 days at most",
        BILLING_PAGE,
    ),
    PublishedLimit("a scheduler: an input, output or state", "1 MB of JSON", SCHEDULER_PAGE),
    PublishedLimit(
        "schedulers, task hubs of a subscription in a region",
        "Consumption 10 and 5, Dedicated 25 and 25",
        SCHEDULER_PAGE,
    ),
    PublishedLimit(
        "Flex Consumption: instances of an app", "1,000; `maximumInstanceCount` is 40 at least", FLEX_PAGE
    ),
    PublishedLimit(
        "Flex Consumption: memory of all instances in a subscription and region",
        "512,000 MB, that is 250 instances of 2,048 MB; more on request",
        FLEX_PAGE,
    ),
    PublishedLimit(
        "Flex Consumption: cores of an instance",
        "; ".join(f"{cores:g} with {memory:,} MB" for memory, cores in CORES.items()),
        FLEX_PAGE,
    ),
    PublishedLimit(
        "Flex Consumption: scaling",
        "orchestrators, activities and entities share one group of instances, HTTP functions another; every "
        "Event Grid function has its own",
        FLEX_PAGE,
    ),
    PublishedLimit(
        "Event Grid: events into a custom topic",
        f"{TOPIC_EVENTS:,} a second or 5 MB a second; for a system topic nothing is published",
        EVENT_GRID_PAGE,
    ),
    PublishedLimit("Event Grid: subscriptions of a topic", "500", EVENT_GRID_PAGE),
    PublishedLimit(
        "Azure Resource Manager: a subscription, identity and region",
        f"reads: {ARM_READS} a second after a burst of 250; writes: {ARM_WRITES} after 200; all identities "
        "together 15 times that",
        ARM_PAGE,
    ),
)
