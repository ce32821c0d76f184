"""The ledger: which files are in the storage, on their way there, or gone. One row a path (CDN File).

`reading` asks it, `uploads` and `removals` follow a file's life, `pictures`, `lessons` and `signatures` answer for those kinds,
`edge` for what the CDN shows, `shares` for what is looked at in turns. A row
outlives its file, since the versions of a path never repeat. Everything runs in the caller's transaction.
"""

from memora.services.cdn_export.state.ledger.edge import live_at_edge, seen_at_edge
from memora.services.cdn_export.state.ledger.lessons import (
	a_paid_lesson,
	a_paid_path,
	lesson_rights,
	lessons_naming,
	rights_elsewhere,
	rights_shown,
	subjects_showing,
)
from memora.services.cdn_export.state.ledger.pictures import (
	due_media,
	keep_media,
	mark_media,
	media_paths,
	named_pictures,
	pictures_of,
)
from memora.services.cdn_export.state.ledger.reading import (
	TABLE,
	OldHeaders,
	count_due_removals,
	count_live,
	count_old_headers,
	count_outdated,
	dropped_since,
	has_any,
	in_order,
	of_paths,
	of_plans,
	of_scope,
	row_name,
	select,
	units_and_due,
)
from memora.services.cdn_export.state.ledger.removals import (
	drop,
	end_grace,
	forget_place,
	in_grace,
	mark_uncertain,
	remove_again,
	removed,
	removed_before,
	stay,
	take_back,
)
from memora.services.cdn_export.state.ledger.shares import (
	ALL,
	SLICES,
	Share,
	documents,
	has_documents,
)
from memora.services.cdn_export.state.ledger.signatures import (
	ENDS_BEFORE,
	OTHER_LINKS,
	count_expired,
	is_linking_again,
	link_again,
	sign_again,
	sign_other_links,
	signatures_due,
	write_other_links,
)
from memora.services.cdn_export.state.ledger.uploads import (
	Adopted,
	adopt,
	begin,
	close,
	damage,
	headers_renewed,
	outdate,
	outdate_headers,
	renewed,
	uploaded_again,
)
