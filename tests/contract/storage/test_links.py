"""Links into a bucket: which are recognised, and what signing makes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest
import requests
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from memora.exceptions import StorageError
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.storage import Storage, StorageSettings, s3_links
from memora.services.cdn_export.storage.s3_links import Links
from tests.contract.storage.conftest import SECRET_KEY, upload
from tests.contract.storage.test_s3_settings import R2, S3

BASE = "https://cdn.example.com"
AMAZON = Links("lessons", "https://s3.eu-central-1.amazonaws.com", BASE, is_aws=True)
CLOUDFLARE = Links("lessons", R2.endpoint_url, f"{BASE}/app/", is_aws=False)
UNTIL = datetime(2026, 5, 1, 16, 0, tzinfo=timezone.utc)

KEY = "videos/الجبر 1+1.mp4"
BOTOCORE = botocore.session.Session()
ENCODED = "videos/%D8%A7%D9%84%D8%AC%D8%A8%D8%B1%201%2B1.mp4"


@pytest.mark.parametrize(
	"link",
	[
		KEY,
		f"s3://lessons/{KEY}",
		f"https://s3.eu-central-1.amazonaws.com/lessons/{ENCODED}",
		f"https://s3-eu-central-1.amazonaws.com/lessons/{ENCODED}",
		f"https://s3.amazonaws.com/lessons/{ENCODED}",
		f"https://s3.dualstack.eu-central-1.amazonaws.com/lessons/{ENCODED}",
		f"https://lessons.s3-accelerate.amazonaws.com/{ENCODED}",
		f"https://lessons.s3-accelerate.dualstack.amazonaws.com/{ENCODED}",
		f"https://s3-fips.dualstack.us-gov-west-1.amazonaws.com/lessons/{ENCODED}",
		f"https://s3-external-1.amazonaws.com/lessons/{ENCODED}",
		f"https://lessons.s3.eu-central-1.amazonaws.com/{ENCODED}",
		f"https://lessons.s3.amazonaws.com/{ENCODED}",
		f"https://LESSONS.s3.amazonaws.com:443/{ENCODED}",
		f"http://lessons.s3-website.eu-central-1.amazonaws.com/{ENCODED}",
		f"{BASE}/{ENCODED}",
		f"{BASE}/{KEY}",
		f"//cdn.example.com/{ENCODED}",
		f"HTTPS://cdn.example.com/{ENCODED}",
		f"  {BASE}/{ENCODED}\n",
		f"{BASE}/{ENCODED}?X-Amz-Signature=old&X-Amz-Expires=1",
	],
)
def test_links_into_an_aws_bucket(link: str) -> None:
	found = AMAZON.find(link)
	assert found and found.key == KEY


@pytest.mark.parametrize(
	"link",
	[
		KEY,
		f"s3://lessons/{KEY}",
		f"{R2.endpoint_url}/lessons/{ENCODED}",
		f"{R2.endpoint_url}:443/lessons/{ENCODED}",
		R2.endpoint_url.replace("https://", "https://lessons.") + f"/{ENCODED}",
		f"{BASE}/app/{ENCODED}",
	],
)
def test_links_into_an_r2_bucket(link: str) -> None:
	found = CLOUDFLARE.find(link)
	assert found and found.key == KEY


@pytest.mark.parametrize(
	"link",
	[
		"",
		"   ",
		"https://www.youtube.com/watch?v=abc",
		"www.youtube.com/watch?v=abc",
		"youtu.be/abc",
		"https://vimeo.com/1/lessons/a.mp4",
		"https://other.s3.amazonaws.com/videos/a.mp4",
		"https://s3.amazonaws.com/other/videos/a.mp4",
		"https://s3.amazonaws.com/lessons-2/a.mp4",
		"https://lessons.s3.amazonaws.com.evil.example/a.mp4",
		"https://lessons.s3.eu-central-1.example.com/a.mp4",
		"s3://other/videos/a.mp4",
		"s3://lessons/",
		"https://lessons.s3.amazonaws.com/",
		"https://s3.amazonaws.com/lessons",
		f"{BASE}",
		f"{BASE}/",
		f"{BASE}:8443/videos/a.mp4",
		f"{BASE}/videos/../a.mp4",
		f"{BASE}/videos/%2e%2e/a.mp4",
		f"{BASE}/videos/%ff.mp4",
		f"{BASE}//videos/a.mp4",
		"/files/a.mp4",
		"/private/files/a.mp4",
		"data:video/mp4;base64,AAAA",
		"javascript:alert(1)",
		"mailto:a@b.example",
		"https://[broken/a.mp4",
	],
)
def test_links_elsewhere(link: str) -> None:
	assert AMAZON.find(link) is None


@pytest.mark.parametrize(
	"host",
	[
		"lessons.s3.amazonaws.com",
		"LESSONS.S3.amazonaws.com",
		"les\u00adsons.s3.amazonaws.com",
		"les\u200bso\ufe0fns.s3.amazonaws.com",
		"\uff4cessons\u3002s3.amazonaws.com",
		"s3.amazonaws.com/lessons",
		"s3.amazonaws.com/%6Cessons",
		"s3.amazonaws.com/x/../lessons",
		"les%73ons.s3%2Eamazonaw%73.com",
		"lessons.s3.amazonaws.com\u3002",
	],
)
def test_an_address_of_the_bucket_in_a_text_is_known_however_it_is_written(host: str) -> None:
	for scheme in ("https://", "//", "\\\\", "HTTPS:/\\"):
		assert AMAZON.passes_cdn_by(f"{scheme}{host}/backups/a.gz")


def test_addresses_that_do_not_name_the_bucket_are_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
	taken_apart = []
	monkeypatch.setattr(s3_links, "_host_and_port", taken_apart.append)
	for number in range(1000):
		for host in (f"w{number}.example", f"\u00e4{number}.example", f"s3.amazonaws.com/other/{number}"):
			assert not AMAZON.passes_cdn_by(f"https://{host}/a%20b")
	assert taken_apart == []


def test_a_base_url_with_a_path_is_left_of_the_key() -> None:
	assert CLOUDFLARE.find(f"{BASE}/app/a.mp4").key == "a.mp4"
	for link in (f"{BASE}/a.mp4", f"{BASE}/application/a.mp4", f"{BASE}/app", f"{BASE}/app/"):
		assert CLOUDFLARE.find(link) is None


@pytest.mark.parametrize(("base", "gate"), [(BASE, f"{BASE}/gate"), (f"{BASE}/cdn", BASE)])
def test_of_a_gate_and_a_base_url_one_may_lie_below_the_other(base: str, gate: str) -> None:
	links = Links("lessons", R2.endpoint_url, base, is_aws=False, gate_url=gate)
	for place in (base, gate):
		assert links.film(f"{place}/videos/a.mp4").key == "videos/a.mp4"


FILM = "videos/a b.mp4"
PATH_STYLE = "https://s3.eu-central-1.amazonaws.com/lessons"
VIRTUAL = "https://lessons.s3.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
	"link",
	[
		FILM,
		f"s3://lessons/{FILM}",
		f"S3://lessons/{FILM}",
		*(f"{place}/videos/a%20b.mp4" for place in (BASE, PATH_STYLE, VIRTUAL)),
		f"{BASE}/videos%2Fa%20b.mp4",
		f"{BASE}/%76ideos/a b.mp4?plans/index.json#t=1",
		f"{VIRTUAL}/videos/a+b.mp4",
		f"{PATH_STYLE}/videos/a+b.mp4",
		f"{VIRTUAL.upper()}:443/videos/a%20b.mp4",
		f"{VIRTUAL}./videos/a%20b.mp4",
		f"http://{VIRTUAL.removeprefix('https://')}/videos/a%20b.mp4",
		"https:\\\\cdn.example.com\\videos\\a b.mp4",
		"https:/cdn.example.com/videos/a b.mp4",
		"https://user:word@cdn.example.com/videos/a b.mp4",
		"ht\ttps://cdn.example.com/vid\neos/a b.mp4",
	],
)
def test_links_to_a_film(link: str) -> None:
	found = AMAZON.film(link)
	assert found and found.key == FILM
	assert not AMAZON.strays(link)


@pytest.mark.parametrize(
	"key",
	[
		"backups/site.sql.gz",
		"plans/index.json",
		"lessons/a.json",
		"media/a.png",
		"schemas/a.json",
		"units/a.json",
		"access/keys.json",
		"memora.json",
		"a.mp4",
		"videos",
		"videos/",
		"Videos/a.mp4",
		"videos.zip",
		"videos2/a.mp4",
		"my/videos/a.mp4",
		"videos/../plans/index.json",
		"videos/./a.mp4",
		"videos//a.mp4",
		"videos/a/../../plans/index.json",
		"videos/%2e%2e/plans/index.json",
		"videos/.%2E/plans/index.json",
		"videos/..%2fplans/index.json",
		"videos%2f..%2fplans/index.json",
		"videos/%2e%2e%2fplans%2findex.json",
		"%70lans/index.json",
		"plans%2Findex.json",
		"plans/index.json?videos/a.mp4",
		"plans/index.json#videos/a.mp4",
		"/videos/a.mp4",
		"//plans/index.json",
		"videos/%ff.mp4",
		"videos/%00.mp4",
		"videos/" + "x" * 1024,
	],
)
@pytest.mark.parametrize(
	"place",
	[
		BASE,
		f"{BASE}:443",
		BASE.upper().replace("HTTPS", "https"),
		BASE.replace("https:", "http:"),
		BASE.replace("https:", ""),
		BASE.replace("https://", "https:\\\\"),
		f"{BASE}/x/..",
		PATH_STYLE,
		f"{PATH_STYLE}/../lessons",
		PATH_STYLE.replace("/lessons", "/%6cessons"),
		VIRTUAL,
		VIRTUAL.replace("eu-central-1.", ""),
	],
)
def test_links_into_the_bucket_that_lead_to_no_film(place: str, key: str) -> None:
	for link in (f"{place}/{key}", f"  {place}/{key} "):
		assert AMAZON.film(link) is None
		assert AMAZON.strays(link)
	with storages.open(replace(S3, cdn_base_url=BASE)) as storage:
		assert storage.sign(f"{place}/{key}", UNTIL) is None


@pytest.mark.parametrize(
	"link",
	["plans/index.json", "backups/a.gz", "videos/../plans/a", "videos", "TODO", "s3://lessons/plans/a"],
)
def test_bare_keys_that_lead_to_no_film(link: str) -> None:
	assert AMAZON.strays(link)
	with storages.open(S3) as storage:
		assert storage.sign(link, UNTIL) is None


@pytest.mark.parametrize(
	"link",
	[
		"",
		"https://www.youtube.com/watch?v=plans/index.json",
		"youtu.be/abc",
		"/files/a.mp4",
		f"{BASE}:8443/plans/index.json",
		"https://cdn.example.com.evil.example/plans/index.json",
		"https://evil.example/https://cdn.example.com/plans/a",
		"https://evil.example#@cdn.example.com/plans/a",
		"https://other.s3.amazonaws.com/plans/index.json",
		"https://s3.amazonaws.com/lessons-2/plans/a",
		"s3://other/plans/a",
	],
)
def test_what_leads_elsewhere_does_not_stray(link: str) -> None:
	assert not AMAZON.strays(link)
	assert AMAZON.film(link) is None


@pytest.mark.parametrize(
	("typed", "folders"),
	[
		("", ()),
		("videos", ("videos/",)),
		(" /videos/ \r\n\ncourses/films//\nvideos", ("videos/", "courses/films/")),
		("intro.mp4, films", ("intro.mp4", "films/")),
		("v1.0/", ("v1.0/",)),
		("plans\nlessons/x", ()),
		("../videos\nvideos/../plans\n.", ()),
		("access/keys\nconnection-test", ()),
	],
)
def test_video_folders_as_typed(typed: str, folders: tuple[str, ...]) -> None:
	assert tuple(filter(paths.may_hold_films, paths.film_folders(typed))) == folders


def test_what_is_no_video_folder_is_none_whatever_settings_say() -> None:
	links = Links("lessons", "", BASE, True, ("plans/", "", "/", "../", "films/", "intro.mp4"))
	for key in ("plans/index.json", "videos/a.mp4", "a.mp4", "intro.mp4/a", "intro.mp45"):
		assert links.strays(key)
	assert links.film("films/a.mp4") and links.film("intro.mp4")


@pytest.mark.parametrize(
	("link", "key", "literal"),
	[
		(
			f"{VIRTUAL}/videos/Intro+to+algebra.mp4",
			"videos/Intro to algebra.mp4",
			"videos/Intro+to+algebra.mp4",
		),
		(f"{PATH_STYLE}/videos/C%2B%2B+1.mp4", "videos/C++ 1.mp4", "videos/C+++1.mp4"),
		(f"{VIRTUAL}/videos/C%2B%2B.mp4", "videos/C++.mp4", ""),
		(f"{VIRTUAL}/videos/a%2520b.mp4", "videos/a%20b.mp4", ""),
		(f"{BASE}/videos/Intro+to.mp4", "videos/Intro+to.mp4", ""),
		("s3://lessons/videos/Intro+to%20.mp4", "videos/Intro+to%20.mp4", ""),
		("videos/Intro+to%20.mp4", "videos/Intro+to%20.mp4", ""),
	],
)
def test_a_plus_is_a_space_where_s3_reads_the_path(link: str, key: str, literal: str) -> None:
	found = AMAZON.film(link)
	assert found and (found.key, found.literal) == (key, literal)


@pytest.mark.parametrize("name", ["Intro to.mp4", "Intro+to.mp4"])
def test_a_plus_is_signed_as_the_object_that_is_there(s3: Storage, name: str) -> None:
	s3.put(upload(f"videos/{name}", b"film", content_type="video/mp4"))
	now = datetime.now(timezone.utc)
	url = s3.sign(f"{s3.address}/videos/Intro+to.mp4", now + timedelta(hours=1), since=now)
	assert requests.get(url, timeout=5).content == b"film"


def test_a_fragment_stays_with_the_link() -> None:
	assert AMAZON.find(f"{BASE}/videos/a.mp4#t=30").fragment == "#t=30"
	with storages.open(replace(S3, cdn_base_url=BASE)) as storage:
		signed = storage.sign(f"{BASE}/videos/a.mp4#t=30", UNTIL)
	assert signed and signed.endswith("#t=30") and signed.count("#") == 1


@given(st.text())
def test_no_text_breaks_it(link: str) -> None:
	for links in (AMAZON, CLOUDFLARE):
		links.find(link)
		links.find(f"https://{link}")
		links.find(f"{BASE}/{link}")


@pytest.mark.parametrize(
	"settings",
	[
		S3,
		replace(S3, region="us-east-1"),
		replace(S3, bucket_name="les.sons"),
		R2,
		replace(S3, endpoint_url="http://127.0.0.1:9000", region="us-east-1"),
	],
	ids=["AWS", "us-east-1", "dotted", "R2", "other"],
)
@pytest.mark.parametrize("key", [KEY, "a b~c'(d)*!&=?#.mp4", "emoji👩‍🏫.mp4"])
def test_botocore_signs_the_same(settings: StorageSettings, key: str) -> None:
	"""Signed for the moment that botocore took, the two URLs are equal to the letter."""
	client = BOTOCORE.create_client(
		"s3",
		region_name=settings.region or "auto",
		endpoint_url=settings.endpoint_url or None,
		aws_access_key_id=settings.access_key,
		aws_secret_access_key=settings.secret_key,
		config=Config(
			signature_version="s3v4",
			s3={
				"addressing_style": "virtual"
				if not settings.endpoint_url and "." not in settings.bucket_name
				else "path"
			},
		),
	)
	theirs = client.generate_presigned_url(
		"get_object", {"Bucket": settings.bucket_name, "Key": key}, ExpiresIn=14400
	)
	stamp = parse_qs(urlsplit(theirs).query)["X-Amz-Date"][0]
	since = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
	with storages.open(settings) as storage:
		assert storage.sign_path(key, since + timedelta(hours=4), since=since) == theirs


class TestSigning:
	def test_the_same_window_gives_the_same_bytes(self) -> None:
		with storages.open(S3) as one, storages.open(S3) as other:
			assert one.sign(KEY, UNTIL) == other.sign(KEY, UNTIL)
			assert one.sign(KEY, UNTIL) != one.sign(KEY, UNTIL + timedelta(hours=1))
			local = UNTIL.astimezone(timezone(timedelta(hours=5, minutes=30)))
			assert one.sign(KEY, UNTIL) == other.sign(KEY, local)

	def test_it_holds_from_since_until_until(self) -> None:
		with storages.open(S3) as storage:
			query = parse_qs(urlsplit(storage.sign(KEY, UNTIL, since=UNTIL - timedelta(hours=4)) or "").query)
			default = parse_qs(urlsplit(storage.sign(KEY, UNTIL) or "").query)
		assert query["X-Amz-Date"] == ["20260501T120000Z"] and query["X-Amz-Expires"] == ["14400"]
		assert default["X-Amz-Date"] == ["20260430T160000Z"] and default["X-Amz-Expires"] == ["86400"]

	@pytest.mark.parametrize("life", [timedelta(0), timedelta(seconds=-1), timedelta(days=7, seconds=1)])
	def test_a_life_that_cannot_be(self, life: timedelta) -> None:
		with storages.open(S3) as storage, pytest.raises(StorageError, match="7 days"):
			storage.sign(KEY, UNTIL, since=UNTIL - life)

	def test_what_leads_elsewhere_is_not_signed(self) -> None:
		with storages.open(S3) as storage:
			assert storage.sign("https://youtu.be/abc", UNTIL) is None

	def test_the_secret_is_not_in_the_url(self) -> None:
		with storages.open(S3) as storage:
			assert S3.secret_key not in (storage.sign(KEY, UNTIL) or "")

	@pytest.mark.parametrize("provider", ["s3", "on_r2"])
	def test_a_signed_link_reads_without_credentials(
		self, request: pytest.FixtureRequest, provider: str
	) -> None:
		storage: Storage = request.getfixturevalue(provider)
		storage.put(upload(KEY, b"moving pictures", content_type="video/mp4"))
		now = datetime.now(timezone.utc)
		url = storage.sign(KEY, now + timedelta(hours=1), since=now - timedelta(hours=1))
		answer = requests.get(url, timeout=5)
		assert (answer.status_code, answer.content) == (200, b"moving pictures")
		assert SECRET_KEY not in url


def test_a_local_directory_cannot_sign(local: Storage) -> None:
	assert local.sign("videos/a.mp4", UNTIL) is None
