"""Why a rule fires or does not: an event explained by the rules, for people and for programs."""
