"""What all orchestrators share: the step runner, leases, versions, size limits."""
