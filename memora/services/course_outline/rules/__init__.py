"""What the course page decides from plain data: access of drafts too, and what a change would make live or free. Pure."""
