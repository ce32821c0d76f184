"""What stands between a build and the world: where it publishes to, whose place that is, signatures, purges, and who is told.

Uploading itself is `cdn_uploader`; the back ends are `storage` and `cache_purge`.
"""
