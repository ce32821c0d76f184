"""From CDN Change to scopes that wait: `relay` reads what editors' transactions have left, `reconciliation` finds what they
could not leave.

Written into the outbox is by `change_tracker`, in the editor's own transaction. Building begins in `worker`.
"""
