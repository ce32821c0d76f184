// Publication status where editors and admins already work: on forms, in lists, on the dashboard.
import "./publishing/watch";
import "./publishing/html";
import "./publishing/words";
import "./publishing/consequences";
import "./publishing/learner_preview";
import "./publishing/reasons";
import "./publishing/way";
import "./publishing/status_line";
import "./publishing/place";
import "./publishing/json_view";
import "./publishing/preview";
import "./publishing/share_preview";
import "./publishing/list";
import "./publishing/course_link";
import "./publishing/list_filters";
import "./publishing/plan";
import "./history/open";
import "./trash";
import "./stages/lesson_form";
import "./stages/import_open";
// What of Frappe's own is not safe with what ours hold.
import "./frappe_attributes";
