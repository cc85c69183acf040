"""Event Grid: topic, subscriptions, filters, retries and dead letters."""
