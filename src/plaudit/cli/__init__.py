"""The command line: one file a verb, thin; it decides nothing."""
