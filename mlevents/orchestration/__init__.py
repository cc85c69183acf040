"""What orchestrators are made of: performing a step until it is done, leases, versions, sizes."""
