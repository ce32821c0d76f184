# What a bench runs beside its databases: the web server, a worker and the scheduler. Each can be started anew at
# any time, since it may still run code of before.

_in_sites() { (cd "$SITES" && launch "$1" "$PYTHON" -m frappe.utils.bench_helper frappe "${@:2}"); }

worker_start() {
	halt worker
	_in_sites worker worker --queue short,default,long
}

scheduler_start() {
	halt scheduler
	_in_sites scheduler schedule
}

_web_answers() { curl --silent --fail --max-time 5 "http://127.0.0.1:${PORT[web]}/api/method/ping"; }

web_start() { # site
	halt web
	_in_sites web --site "$1" serve --port "${PORT[web]}" --noreload
	until_ready web 30 _web_answers
}

serving_stop() {
	halt scheduler
	halt worker
	halt web
}
