"""The templates of messages: those of mlevents, and those beside the rules."""
