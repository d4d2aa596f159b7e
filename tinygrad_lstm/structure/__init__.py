"""Reading a recorded graph: timeline, paths, groups; numbers, names and tables in words."""
