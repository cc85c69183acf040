"""The approval of a person: its terms, its link, the message that asks for it, and the gate."""
