"""Content as editors keep it, read from Frappe: a subject's tree, public files, films, and the Items it is sold by.

Nothing is published here, and nothing is decided: that is in `builds` and `rules`.
"""
