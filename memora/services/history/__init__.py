"""What a document was like before each change: who changed what, when, and the way back.

- `rules/`: a document as plain data, what differs between two of them, and how a difference is shown; pure
- `states`: a document of the Desk as that plain data, and that plain data as the document
- `entries`: the rows of Memora History
- `recording`: an entry for each change, in the editor's own save
- `reading`: a document's history in words, for who may read the document
- `effects`: what learners get or lose by a change, and which of its files are not there
- `going_back`: a document as an entry has it, by an ordinary save

An entry holds the document as it was *before* the change. So a save costs one insert and asks nothing, a document that was there
before this table existed has its first state in its first entry, and a new document costs nothing. The state after a change is
in the next entry, or in the document itself.
"""
