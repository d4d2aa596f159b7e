"""The walk as a page, and what that holds."""
