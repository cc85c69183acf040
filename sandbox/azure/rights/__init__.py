"""Who may do what: the actions that requests ask for, and the role assignments."""
