"""A subject as its editors see it: one outline from the subject down to the stages of its lessons.

- `rules/` *(pure)*: `access`, of drafts and hidden nodes too; `consequences`: what becomes live or free by a change, before it
  is made; `question_import`: questions of a spreadsheet or of GIFT
- `permissions`: what the caller may read and change
- `reading`: the outline itself; `stamp`: whether it has changed; `finding`: search and filters; `home`: an editor's own page;
  `places`: where a row is
- `editing`: new rows and titles; `moving`, `stages`: order; `publishing`, `plan_view`, `copying` (stages: `stage_copies`), `deleting`,
  `importing`, `restoring`: what is done to rows; `targets`, `siblings`, `attachments`, `refusing`: what they have in common
- `trash`: what was deleted, and with what; `trash_list`: for whom; `trash_restoring`: how it comes back
- `desk_search`: what the Desk's own search finds
- `uploads`, `inline_pictures`: files made of what is uploaded or pasted into a text; `attachments` keeps them while something
  names them
- `asking`: which of that is asked first

Whatever changes something here is one transaction. It locks the documents above what it changes, so that two editors
never number the same siblings, and it saves documents as their forms do: validation, permissions, hooks and versions hold.
The one exception is a statement that numbers siblings again.
"""
