"""Where paid content is private already, memora finds out which lessons name which films, so that the gate can open these."""

from memora.services.cdn_export.state import database, gate_switch, site_values


def execute() -> None:
	if gate_switch.parse(site_values.read(gate_switch.NOTE)).is_on:
		database.transaction(gate_switch.find_films_again)
