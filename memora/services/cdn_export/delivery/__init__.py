"""What a build publishes with: the target and its owner, signatures, purges, progress, and notices to admins.

Uploading itself is `cdn_uploader`; the back ends are `storage` and `cache_purge`.
"""
