"""The pipeline from an editor's save to files on a CDN.

An edit passes through seven modules here: `change_tracker` notes a save, `dependency_resolver` says which plans it
touches, `batch_processor` starts builds, `access_calculator` decides who may read what, `json_generator` and
`search_indexer` make the documents, and `cdn_uploader` uploads them. `settings` reads CDN Settings.

Everything else is in a folder: `admin` (status, dashboard, commands), `worker` (drains), `maintenance` (audits,
repairs, renewals), `builds` (the files of a plan or subject), `delivery` (the publish target), `outbox` (the relay),
`curriculum` (content read from Frappe), `state` (memora's own tables), `storage` and `cache_purge` (providers),
`rules` and `model` (pure decisions and terms).

Code calls down, never up; import-linter holds the order. docs/architecture.md walks through a save, a publish, a
removal, a move and a failure.
"""
