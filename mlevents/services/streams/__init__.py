"""Services that take events for other programs: hubs, buses, topics and queues."""
