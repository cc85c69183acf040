"""Quotas of virtual CPUs, as Azure Machine Learning tells them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True)
class CpuQuota:
    """What one size of VM has to share with others of its family: virtual CPUs, `limit` None for no limit."""

    family: str
    cores: int
    used: int
    limit: int | None

    def needed(self, instances: int) -> int:
        """The CPUs of a deployment: Azure ML reserves a fifth more, to upgrade it without interruption."""
        return ceil(1.2 * instances) * self.cores


def is_of_family(usage: Mapping[str, Any], family: str) -> bool:
    """Whether a usage is the subscription's for dedicated VMs of this family.

    Its name reads `Standard DSv2 Family Cluster Dedicated vCPUs` where a size's reads `standardDSv2Family`.
    """
    name = str((usage.get("name") or {}).get("value")).replace(" ", "").lower()
    ours = str(usage.get("type")).lower().endswith("/vmfamily/usages")
    return ours and name.startswith(family.lower()) and "lowpriority" not in name
