"""The names of the durable functions, as the portal lists them and as orchestrators call them.

The names of the actions' orchestrators are in their own modules, see `step_orchestrators`.

The Functions host compares names without case and does not start when two are the same. So no two
names in the app differ only in case.
"""

RESPOND_TO_EVENT = "RespondToEvent"
REPORT_FLOOD = "ReportFlood"
ENDPOINT_LEASE = "EndpointLease"
NEWEST_VERSION = "NewestVersion"
EVENT_FLOOD = "EventFlood"
GATE_STATE = "GateState"
READ_FOR_GATE = "ReadForGate"
PERFORM_STEP = "PerformStep"
BEGIN_RERUN = "BeginRerun"
RESTART_RESPONSE = "RestartResponse"
FIND_INSTANCES = "FindInstances"
PASS_ON_INTERVENTION = "PassOnIntervention"
HOLDS = "Holds"
READ_HOLDS = "ReadHolds"
RELEASE_RESPONSES = "ReleaseResponses"
RELEASE_NEXT = "ReleaseNext"
RECENT_EVENTS = "RecentEvents"
SWEEP_RESPONSES = "SweepResponses"
MODEL_TAGS = "ModelTags"
TAG_CURSOR = "TagCursor"
COMPARE_MODEL_TAGS = "CompareModelTags"
PURGE_RESPONSES = "PurgeResponses"
WATCH_DEAD_LETTERS = "WatchDeadLetters"
