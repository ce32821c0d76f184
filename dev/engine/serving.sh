# What a bench runs beside its databases: the web server, a worker and the scheduler. Each can be started again at
# any time, since it may still run code of before.

_in_sites() { (cd "$SITES" && launch "$1" "$PYTHON" "${@:2}"); }

worker_start() {
	halt worker
	_in_sites worker -m frappe.utils.bench_helper frappe worker --queue short,default,long
}

scheduler_start() { # site
	halt scheduler
	_in_sites scheduler "$ENGINE/scheduler.py" "$1"
}

_web_answers() {
	"$PYTHON" -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=5)' \
		"http://127.0.0.1:${PORT[web]}/api/method/ping"
}

web_start() { # site
	halt web
	_in_sites web "$ENGINE/web.py" "$1" "${PORT[web]}"
	until_ready web 30 _web_answers
}

_s3_answers() { _port_taken "${PORT[s3]}"; }

# s3_start: an S3 server, empty. What it holds is gone when it stops.
s3_start() {
	halt s3
	_in_sites s3 -m moto.server --host 127.0.0.1 --port "${PORT[s3]}"
	until_ready s3 30 _s3_answers
}

_gate_answers() { _port_taken "${PORT[gate]}"; }

# gate_start: memora's gate, as GATE_CONFIG says, in front of what the demo has published. The key is moto's, which takes any.
gate_start() {
	halt gate
	node_options
	launch gate env MEMORA_GATE_ACCESS_KEY=demo MEMORA_GATE_SECRET_KEY=demo-secret \
		node "$REPO/edge/server.js" "$GATE_CONFIG"
	until_ready gate 20 _gate_answers
}

serving_stop() {
	halt scheduler
	halt worker
	halt web
	halt gate
	halt s3
}
