"""What is in the Desk that the tests drive: one school in two languages, of the same shape, and who works there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import now_datetime

from memora.install import ADMIN, EDITOR
from memora.tests.helpers import factories

PASSWORD = "Sea-Salt-And-Paper-7"
NIGHT = "night@e2e.test"
"""Both editor and admin, whose Desk is dark."""

MANAGER = "manager@e2e.test"
"""Who may see what Frappe keeps beside the documents, too."""

STRANGER = "stranger@e2e.test"
"""Who works in the Desk, but not with memora."""

_LANGUAGES = ("en", "ar")
_TITLES = {
	"physics": ("Physics", "الفيزياء"),
	"mechanics": ("Mechanics", "الميكانيكا"),
	"motion": ("Motion", "الحركة"),
	"speed": ("Speed", "السرعة"),
	"what is speed": ("What is speed?", "ما السرعة؟"),
	"measuring speed": ("Measuring speed", "قياس السرعة"),
	"forces": ("Forces", "القوى"),
	"push and pull": ("Push and pull", "الدفع والسحب"),
	"mathematics": ("Mathematics", "الرياضيات"),
	"algebra": ("Algebra", "الجبر"),
	"equations": ("Equations", "المعادلات"),
	"unknowns": ("Unknowns", "المجاهيل"),
	"finding x": ("Finding x", "إيجاد س"),
	"two unknowns": ("Two unknowns", "مجهولان"),
	"word problems": ("Word problems", "مسائل لفظية"),
	"geometry": ("Geometry", "الهندسة"),
	"triangles": ("Triangles", "المثلثات"),
	"angles": ("Angles", "الزوايا"),
	"angles of a triangle": ("Angles of a triangle", "زوايا المثلث"),
	"music": ("Music", "الموسيقى"),
	"plan": ("Grade 7, General", "الصف السابع، عام"),
	"short plan": ("Mathematics, short course", "دورة قصيرة في الرياضيات"),
}
_TREE = {
	"physics": {
		"mechanics": {"motion": {"speed": ["what is speed", "measuring speed"], "forces": ["push and pull"]}}
	},
	"mathematics": {
		"algebra": {"equations": {"unknowns": ["finding x", "two unknowns", "word problems"]}},
		"geometry": {"triangles": {"angles": ["angles of a triangle"]}},
	},
}
_ABOUT = ("What it is, and how one finds out.", "ما هي، وكيف نعرفها.")
_TERMS = {
	"season": ("2026/27", "2026/2027"),
	"grade": ("Grade 7", "الصف السابع"),
	"stream": ("General", "عام"),
}


@dataclass(slots=True)
class School:
	"""The school in one language: its documents by what the tests call them, its people, and memora's words."""

	language: str
	docs: dict[str, Any] = field(default_factory=dict)

	@property
	def editor(self) -> str:
		return f"editor.{self.language}@e2e.test"

	@property
	def admin(self) -> str:
		return f"admin.{self.language}@e2e.test"

	def say(self, text: str, *values: object) -> str:
		"""A text of memora's as the school's people read it, up to the first place that no value fills in."""
		said = _(text, self.language)
		for place, value in enumerate(values):
			said = said.replace(f"{{{place}}}", str(value))
		return said.partition("{")[0].strip()

	def title(self, key: str) -> str:
		return self.docs[key].title

	def name(self, key: str) -> str:
		return self.docs[key].name

	def states(self) -> dict[str, dict[str, Any]]:
		"""What is in its documents now, with their rows."""
		frappe.db.rollback()
		return {key: _content(frappe.get_doc(doc.doctype, doc.name)) for key, doc in self.docs.items()}

	def restore(self, states: dict[str, dict[str, Any]]) -> bool:
		"""Save what is otherwise than in `states` as it was. Returns whether anything was."""
		changed = [key for key, content in self.states().items() if content != states[key]]
		for key in changed:
			frappe.get_doc(self.docs[key].doctype, self.docs[key].name).update(states[key]).save()
		frappe.db.commit()
		return bool(changed)


def _content(doc: Any) -> dict[str, Any]:
	"""A document's own fields and its rows', without the times and names that each save gives."""
	return {
		field.fieldname: [_content(row) for row in doc.get(field.fieldname)]
		if field.fieldtype in frappe.model.table_fields
		else doc.get(field.fieldname)
		for field in doc.meta.fields
		if field.fieldtype not in frappe.model.no_value_fields or field.fieldtype in frappe.model.table_fields
	}


def make_schools() -> dict[str, School]:
	"""Both schools, by language; each has a plan of two subjects, and a short one that hides one track."""
	return {language: _make_school(language, place) for place, language in enumerate(_LANGUAGES)}


def _make_school(language: str, place: int) -> School:
	docs: dict[str, Any] = {}

	def title(key: str) -> str:
		return _TITLES[key][place]

	for subject, tracks in _TREE.items():
		docs[subject] = factories.make_subject(
			title=title(subject), is_published=1, required_item="PHYSICS-7" if subject == "physics" else ""
		)
		for track, units in tracks.items():
			docs[track] = factories.make_track(
				title=title(track), parent_subject=docs[subject].name, is_published=1
			)
			for unit, topics in units.items():
				docs[unit] = factories.make_unit(
					title=title(unit), parent_track=docs[track].name, is_published=1
				)
				for topic, lessons in topics.items():
					docs[topic] = factories.make_topic(
						title=title(topic), parent_unit=docs[unit].name, is_published=1
					)
					for order, lesson in enumerate(lessons):
						docs[lesson] = factories.make_lesson(
							title=title(lesson),
							parent_topic=docs[topic].name,
							is_published=1,
							sort_order=order,
							description=_ABOUT[place],
							stages=[_text_stage(place)],
						)
	docs["music"] = factories.make_subject(title=title("music"), is_published=1)
	terms = {
		kind: factories.make(f"Memora {kind.title()}", title=titles[place]).name
		for kind, titles in _TERMS.items()
	}
	subjects = [docs["physics"], docs["mathematics"]]
	docs["plan"] = factories.make_plan(subjects, title=title("plan"), is_published=1, **terms)
	docs["short plan"] = factories.make_plan(
		[docs["mathematics"]],
		title=title("short plan"),
		is_published=1,
		overrides=[factories.override(docs["geometry"], "Hide")],
		**terms,
	)
	frappe.db.commit()
	return School(language, docs)


def _text_stage(place: int) -> dict[str, str]:
	return {
		"title": ("Read", "اقرأ")[place],
		"type": "Text",
		"config": frappe.as_json({"text": ("Read it twice.", "اقرأه مرتين.")[place]}),
	}


def make_people() -> None:
	"""An editor and an admin for each language, someone who is both and prefers the dark, and a stranger."""
	people = [
		("night", "Night", [EDITOR, ADMIN], "en", "Dark"),
		("manager", "Manager", [EDITOR, ADMIN, "System Manager"], "en", "Light"),
		("stranger", "Stranger", ["Report Manager"], "en", "Light"),
	]
	for place, language in enumerate(_LANGUAGES):
		people.append((f"editor.{language}", ("Editor", "محررة")[place], [EDITOR], language, "Light"))
		people.append((f"admin.{language}", ("Admin", "مشرف")[place], [ADMIN], language, "Light"))
	# Frappe's own tours would lie over the workspace.
	seen = {tour: {"is_complete": True} for tour in frappe.get_all("Form Tour", {"ui_tour": 1}, pluck="name")}
	for user, first_name, roles, language, theme in people:
		doc = frappe.get_doc(
			{
				"doctype": "User",
				"email": f"{user}@e2e.test",
				"first_name": first_name,
				"language": language,
				"desk_theme": theme,
				"new_password": PASSWORD,
				"onboarding_status": frappe.as_json(seen),
				"send_welcome_email": 0,
			}
		)
		doc.flags.ignore_password_policy = True
		doc.insert(ignore_permissions=True)
		doc.add_roles(*roles)
	frappe.db.commit()


def make_history(plan: Any) -> None:
	"""Runs of the thirteen days before today, with an evening when the storage did not answer."""
	files = (12, 31, 8, 0, 44, 27, 19, 63, 5, 0, 38, 22, 16)
	rows = []
	for days, uploaded in zip(range(len(files), 0, -1), files, strict=True):
		moment = now_datetime() - timedelta(days=days)
		attempts = [("Success", uploaded, 0.4 + uploaded / 40)] if uploaded else []
		if days == 6:
			attempts += [("Failed", 0, 8.2), ("Failed", 0, 8.1)]
		for order, (status, count, seconds) in enumerate(attempts):
			at = moment + timedelta(minutes=order)
			rows.append(
				(
					frappe.generate_hash(length=10),
					at,
					at,
					plan.name,
					plan.title,
					status,
					at - timedelta(seconds=seconds),
					at,
					count,
					"" if status == "Success" else "The storage does not answer",
				)
			)
	frappe.db.bulk_insert(
		"CDN Sync Log",
		[
			"name",
			"creation",
			"modified",
			"plan_id",
			"plan_title",
			"status",
			"started_at",
			"completed_at",
			"files_uploaded",
			"error_message",
		],
		rows,
	)
	frappe.db.commit()
