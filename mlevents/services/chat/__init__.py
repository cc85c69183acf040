"""Chat and paging services, by apprise."""
