"""The Durable extension: task hub, entities, messages and versions, as on Azure."""
