"""What everything else speaks of, as plain data: the tree, paths, scopes, DocTypes, versions, and how texts and JSON are kept.

Pure: no Frappe, no I/O. Rules that decide something are in `rules`.
"""
