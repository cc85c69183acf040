"""Event Grid subscriptions: what they should deliver for the rules, and whether they do."""
