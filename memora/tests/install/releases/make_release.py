"""Record what a site and its bucket hold under a release, for `test_release_upgrade.py`.

Run it once for each release, with that release's code, on a site that may be wiped, in the folder `sites`:
`python make_release.py SITE FILE`. `release_0_1_0.json` was made with the first release's own script, whose content later
releases refuse: a page as a picture, a link to a file outside the video folders.
"""

import base64
import json
import sys
from datetime import date, datetime
from pathlib import Path

import frappe

from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.state import site_key
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import S3Server, moto
from memora.tests.helpers.publishing import make_course, publish_to
from memora.tests.helpers.utils import wipe

ENDPOINT, BUCKET = "http://s3.invalid", "school"
SITE_HASH = "0123456789abcdef" * 2
"""Instead of the hash of the site's key."""
FILES = {
	"map.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 24,
	"sheet.pdf": b"%PDF-1.4 worksheet",
	"drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>',
}


def plain(value):
	return str(value) if isinstance(value, (date, datetime)) else value


def main(site: str, file: str) -> None:
	frappe.init(site=site)
	frappe.connect()
	frappe.flags.in_test = True
	wipe()
	public = Path(frappe.get_site_path("public", "files"))
	for name, body in FILES.items():
		(public / name).write_bytes(body)
	with moto() as endpoint:
		s3 = S3Server(endpoint)
		s3.client.create_bucket(Bucket=BUCKET)
		publish_to(storage_provider="AWS S3", **s3.settings(BUCKET, endpoint))
		for path in ("videos/one.mp4", "videos/two.mp4"):
			s3.client.put_object(Bucket=BUCKET, Key=path, Body=b"film")
		names = fill(f"{endpoint}/{BUCKET}")
		objects = []
		for path in sorted(s3.paths(BUCKET)):
			found = s3.client.get_object(Bucket=BUCKET, Key=path)
			body = found["Body"].read().replace(endpoint.encode(), ENDPOINT.encode())
			body = body.replace(site_key.known_hash().encode(), SITE_HASH.encode())
			objects.append(
				{
					"path": path,
					"body": base64.b64encode(body).decode(),
					"type": found["ContentType"],
					"cache_control": found.get("CacheControl", ""),
					"metadata": found["Metadata"],
				}
			)
		told = {
			"names": names,
			"settings": frappe.db.get_singles_dict("CDN Settings"),
			"place": frappe.db.get_value("DefaultValue", "memora_place", "defvalue"),
			"notes": notes(),
			"files": {name: base64.b64encode(body).decode() for name, body in FILES.items()},
			"objects": objects,
			"tables": tables(),
		}
		text = json.dumps(told, ensure_ascii=False, indent=1, default=plain, sort_keys=True)
		text = text.replace(endpoint, ENDPOINT).replace(site, "school.example")
		text = text.replace(site_key.known_hash(), SITE_HASH)
		Path(file).write_text(text + "\n")
	wipe()
	for name in FILES:
		(public / name).unlink()
	frappe.destroy()


def fill(bucket: str) -> dict[str, str]:
	def film(path):
		return json.dumps({"video_url": f"{bucket}/{path}"})

	physics, arabic = make_course(title="Physics"), make_course(title="اللغة العربية")
	odd = physics["lessons"]
	odd[0].update(
		{"title": "HTML: <h1> vs <h2>", "description": "A &lt;B&gt; & C", "image": "/files/map.png"}
	)
	odd[0].stages[0].config = film("videos/one.mp4")
	odd[0].append("stages", {"title": "Also", "type": "Video", "config": film("videos/two.mp4")})
	odd[0].save()
	odd[1].update({"title": "if x<y and y>z"})
	odd[1].append(
		"stages",
		{"title": "Ask", "type": "Question", "config": '{"question": "?", "choices": ["a"], "answer": "a"}'},
	)
	odd[1].append("stages", {"title": "Text", "type": "Text", "config": '{"file": "/files/sheet.pdf"}'})
	odd[1].save()
	# Releases up to 0.2 let it be saved.
	odd[1].stages[-2].db_set("config", '{"question": "?", "choices": ["a"], "answer": 0}')
	odd[2].update({"title": '["<img src=x onerror=1>"]', "image": "/files/drawing.svg"})
	odd[2].save()
	physics["track"].update({"is_sold_separately": 1, "required_item": "TRACK, 1"})
	physics["track"].save()
	shared = factories.make_plan([physics["subject"], arabic["subject"]], title="Grade 7", is_published=1)
	own = factories.make_plan(
		[physics["subject"], arabic["subject"]],
		title="Evening &amp; night",
		is_published=1,
		overrides=[
			factories.override(arabic["lessons"][0], "Hide"),
			factories.override(physics["units"][0], "Rename", "Unit <1>"),
		],
	)
	renamed = factories.make_plan([arabic["subject"]], title="Renamed", is_published=1)
	publish()
	own.reload()
	own.overrides = [row for row in own.overrides if row.action == "Hide"]
	own.save()  # its own files of Physics merely move: they stay for their grace
	publish()
	former = renamed.name
	frappe.rename_doc("Memora Academic Plan", former, "renamed-plan", force=True)
	frappe.db.commit()  # not published since
	return {
		"shared": shared.name,
		"own": own.name,
		"former": former,
		"physics": physics["subject"].name,
		"arabic": arabic["subject"].name,
		"hidden": arabic["lessons"][0].name,
		**{f"lesson_{number}": lesson.name for number, lesson in enumerate(odd)},
	}


def publish() -> None:
	frappe.db.commit()
	batch_processor.process("Scheduler")


def notes() -> dict:
	"""What the site remembers beside its tables, such as the number of the place's mark."""
	rows = frappe.db.sql("select name, defvalue from tabDefaultValue where name like 'memora%%'")
	return dict(rows)


def tables() -> dict:
	found = {}
	for doctype in frappe.get_all(
		"DocType", {"module": "Memora", "issingle": 0}, pluck="name", order_by="name"
	):
		rows = frappe.db.sql(f"select * from `tab{doctype}` order by name", as_dict=True)
		create = frappe.db.sql(f"show create table `tab{doctype}`")[0][1]
		found[doctype] = {"create": create, "rows": [dict(row) for row in rows]}
	return found


if __name__ == "__main__":
	main(*sys.argv[1:])
