"""Quotas of virtual CPUs in Azure Machine Learning."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True)
class CpuQuota:
    """The virtual CPUs that all sizes of a VM family share; `limit` is None for no limit."""

    family: str
    cores: int
    used: int
    limit: int | None

    def needed(self, instances: int) -> int:
        """The CPUs of a deployment: Azure ML reserves 20 % more for upgrades without interruption."""
        return ceil(1.2 * instances) * self.cores


def is_of_family(usage: Mapping[str, Any], family: str) -> bool:
    """Whether a usage is that of the subscription for dedicated VMs of this family.

    Its name is `Standard DSv2 Family Cluster Dedicated vCPUs` for the family `standardDSv2Family`.
    """
    name = str((usage.get("name") or {}).get("value")).replace(" ", "").lower()
    ours = str(usage.get("type")).lower().endswith("/vmfamily/usages")
    return ours and name.startswith(family.lower()) and "lowpriority" not in name
