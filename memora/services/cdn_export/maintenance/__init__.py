"""What keeps published files right when nobody edits: the daily audit and repair, the public check, signatures and metadata
that are renewed.
"""
