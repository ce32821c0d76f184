"""What of a lesson is searched, and as which words. Pure."""
