"""AMQP 1.0, as Event Hubs and Service Bus speak it to senders."""
