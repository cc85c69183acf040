"""The names of the durable functions, as the portal lists them and as orchestrators call them.

Those of the orchestrators of actions are with these, see `step_orchestrators`.

The Functions host compares names without case and does not start when two are the same, so every name in
the app differs from the others by more than case.
"""

RESPOND_TO_EVENT = "RespondToEvent"
REPORT_FLOOD = "ReportFlood"
ENDPOINT_LEASE = "EndpointLease"
NEWEST_VERSION = "NewestVersion"
EVENT_FLOOD = "EventFlood"
PERFORM_STEP = "PerformStep"
FIND_INSTANCES = "FindInstances"
SWEEP_RESPONSES = "SweepResponses"
