"""What was published before there was a list of types stays: pictures of refused types or sizes are marked, and files
that nobody publishes are judged anew when somebody names them. What Local Directory notes of its files leaves the folders
that the site serves."""

from memora.services.cdn_export import database, media, settings


def execute() -> None:
	database.transaction(media.keep_refused)
	if settings.load().provider == settings.LOCAL:
		settings.open_storage().close()
