from memora.frappe_versions import desk_route

app_name = "memora"
app_title = "Memora"
app_publisher = "The memora maintainers"
app_description = "Publishes a curriculum kept in Frappe Desk as static JSON on a CDN"
app_license = "mit"
export_python_type_annotations = True
require_type_annotated_api_methods = True

add_to_apps_screen = [
	{
		"name": "memora",
		"logo": "/assets/memora/images/memora.svg",
		"title": "Memora",
		"route": desk_route("memora"),
		"has_permission": "memora.install.may_see_app",
	}
]

extend_bootinfo = "memora.services.course_outline.trash.add_to_boot"
app_include_js = ["memora.bundle.js"]
app_include_css = ["memora.bundle.css"]

_published_list = "public/js/published_list.js"
doctype_list_js = {
	"Memora Subject": _published_list,
	"Memora Track": _published_list,
	"Memora Unit": _published_list,
	"Memora Topic": _published_list,
	"Memora Lesson": _published_list,
	"Memora Academic Plan": _published_list,
	"Memora Season": _published_list,
	"Memora Grade": _published_list,
	"Memora Stream": _published_list,
}

# What link boxes offer of content: titles, each with the titles above it.
standard_queries = dict.fromkeys(
	("Memora Subject", "Memora Track", "Memora Unit", "Memora Topic", "Memora Lesson"),
	"memora.api.links.search_content",
)

# The Desk's own search finds content, too, and only what the caller may read.
global_search_doctypes = {
	"Default": [
		{"doctype": "Memora Subject"},
		{"doctype": "Memora Track"},
		{"doctype": "Memora Unit"},
		{"doctype": "Memora Topic"},
		{"doctype": "Memora Lesson"},
	]
}
override_whitelisted_methods = {"frappe.utils.global_search.search": "memora.api.desk_search.search_desk"}

before_install = "memora.install.before_install"
after_install = "memora.install.after_install"
after_migrate = "memora.install.after_migrate"
before_uninstall = "memora.uninstall.before_uninstall"
after_uninstall = "memora.uninstall.after_uninstall"

# The eight monitored DocTypes, those whose titles are in manifests, and the plan's list of subjects.
_track_changes = {
	"on_change": "memora.services.cdn_export.change_tracker.on_change",
	"on_trash": "memora.services.cdn_export.change_tracker.on_trash",
	"after_rename": "memora.services.cdn_export.change_tracker.after_rename",
}
# Content and plans also have a history.
_history = "memora.services.history.recording"
_with_history = {event: [method, f"{_history}.{event}"] for event, method in _track_changes.items()}
# A row's changes are in the history of its document, which no rename of the row touches.
_in_its_history = {**_with_history, "after_rename": _track_changes["after_rename"]}
_lesson_texts = "memora.services.text_search.lesson_texts"
doc_events = {
	"Memora Subject": _with_history,
	"Memora Track": _with_history,
	"Memora Unit": _with_history,
	"Memora Topic": _with_history,
	"Memora Lesson": {
		"on_update": f"{_lesson_texts}.on_update",
		"on_change": _with_history["on_change"],
		"on_trash": [*_with_history["on_trash"], f"{_lesson_texts}.on_trash"],
		"after_rename": [*_with_history["after_rename"], f"{_lesson_texts}.after_rename"],
	},
	"Memora Lesson Stage": _in_its_history,
	"Memora Academic Plan": _with_history,
	"Memora Plan Override": _in_its_history,
	"Memora Plan Subject": _in_its_history,
	"Memora Season": _track_changes,
	"Memora Grade": _track_changes,
	"Memora Stream": _track_changes,
	# ERPNext's, where there is one
	"Item": {
		"on_change": "memora.services.cdn_export.curriculum.items.on_change",
		"on_trash": "memora.services.cdn_export.curriculum.items.on_trash",
		"after_rename": "memora.services.cdn_export.curriculum.items.after_rename",
	},
	"User": {"after_rename": f"{_history}.user_renamed"},
	# A picture, or a lesson's file, that is replaced, made private or deleted.
	"File": {
		"on_update": "memora.services.cdn_export.change_tracker.on_file",
		"on_trash": "memora.services.cdn_export.change_tracker.on_file",
	},
}

# User Permissions hold for everything below the documents that they allow.
_user_permissions = "memora.memora.user_permissions"
has_permission = dict.fromkeys(
	(
		"Memora Track",
		"Memora Unit",
		"Memora Topic",
		"Memora Lesson",
		"Memora Academic Plan",
		"CDN Sync Log",
	),
	f"{_user_permissions}.has_permission",
)
has_permission["Memora Trash"] = "memora.services.course_outline.trash_list.has_permission"
permission_query_conditions = {
	"Memora Track": f"{_user_permissions}.tracks",
	"Memora Unit": f"{_user_permissions}.units",
	"Memora Topic": f"{_user_permissions}.topics",
	"Memora Lesson": f"{_user_permissions}.lessons",
	"Memora Lesson Stage": f"{_user_permissions}.stages",
	"Memora Academic Plan": f"{_user_permissions}.plans",
	"Memora Plan Subject": f"{_user_permissions}.plan_subjects",
	"Memora Plan Override": f"{_user_permissions}.plan_overrides",
	"CDN Sync Log": f"{_user_permissions}.sync_logs",
	"Memora Trash": "memora.services.course_outline.trash_list.condition",
}

scheduler_events = {
	"cron": {
		"*/5 * * * *": ["memora.services.cdn_export.batch_processor.process_pending_plans"],
		"* * * * *": ["memora.services.cdn_export.batch_processor.check_due"],
	},
	"hourly": [
		"memora.services.cdn_export.outbox.reconciliation.hourly",
		"memora.services.access_gate.keys.hourly",
	],
	"hourly_long": ["memora.services.text_search.lesson_texts.catch_up"],
	"daily": ["memora.services.cdn_export.outbox.reconciliation.daily"],
	"daily_long": [
		"memora.services.cdn_export.maintenance.daily.daily",
		"memora.services.course_outline.trash.daily",
	],
}

# A plan with logs, or what a preview link shows, can be deleted; they stay.
ignore_links_on_delete = ["CDN Sync Log", "Memora Preview Link"]
default_log_clearing_doctypes = {"CDN Sync Log": 90, "Memora History": 180, "Memora Preview Link": 90}

# Who changed what, and who made which link: Frappe's requests for personal data know where it is.
user_data_fields = [
	{"doctype": "Memora History", "filter_by": "owner"},
	{"doctype": "Memora Preview Link", "filter_by": "maker"},
	{"doctype": "Memora Trash", "filter_by": "owner"},
]
