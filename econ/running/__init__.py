"""A run of many jobs while it goes on: what an engine tells of it, shown in a terminal or a browser."""
