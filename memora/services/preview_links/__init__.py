"""Links that show a preview to somebody without an account: a document, or a plan, as the one who made the link may read it.

- `links`: Memora Preview Link: made, found by their secret, listed, taken back
- `sharing`: who may share a preview, and the link that he gets
- `shown`: what a link shows now: *Preview as Learner*, kept to its document and to what its maker may read

The secret is in the link alone, behind its `#`, and comes in a header. The table has its hash.
"""
