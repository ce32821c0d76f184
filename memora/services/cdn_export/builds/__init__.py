"""What a build does: read what one transaction sees, decide the files of a scope, upload and close them, remove what is over.

One module a kind of scope, and what they share: `build` is a build in hand; `upload`, `commit` and `removals` end it. Who
builds when is in `worker`.
"""
