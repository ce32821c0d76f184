"""A small published tree that everyone can read, and a large one: what documents and readers are tried with."""
