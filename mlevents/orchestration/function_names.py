"""The names of the durable functions, as the portal lists them and as orchestrators call them.

The Functions host compares names without case and does not start when two are the same, so every name in
the app differs from the others by more than case.
"""

RESPOND_TO_EVENT = "RespondToEvent"
ROLL_OUT_MODEL = "RollOutModel"
RESTORE_TRAFFIC = "RestoreTraffic"
REPORT_FLOOD = "ReportFlood"
ENDPOINT_LEASE = "EndpointLease"
NEWEST_VERSION = "NewestVersion"
EVENT_FLOOD = "EventFlood"
PERFORM_STEP = "PerformStep"
FIND_INSTANCES = "FindInstances"
SWEEP_RESPONSES = "SweepResponses"
