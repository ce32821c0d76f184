"""What keeps published files right without any edit: the daily audit and repair, the public check, and the renewal of
signatures and metadata.
"""
