# The engine: Frappe and everything that memora's development needs, out of package registries only. A real bench
# (MEMORA_BENCH) has all this already.

WHEEL_SHA256=dc58aaf29c59b7666edc953596e5b31f77d7286b2ed6b14c6a205b217c210349

# packages COMMAND=PACKAGE...: Debian packages for the commands that are missing.
packages() {
	local pair missing=()
	for pair; do
		command -v "${pair%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	((!${#missing[@]})) || install_packages "${missing[@]}"
}

install_packages() {
	command -v apt-get >/dev/null || fail "this needs the Debian packages $*; install them for your system"
	[[ $(id -u) == 0 ]] || fail "as root, run: apt-get install --no-install-recommends $*"
	step "apt-get update" apt-update apt-get update
	step "Debian packages: $*" apt-install env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends "$@"
}

# The -core package: the server's program without a service of the system that would start by itself.
mariadb_packages() {
	packages mariadbd=mariadb-server-core mariadb-admin=mariadb-client flock=util-linux
}

# nginx's program, for the test of docs/cdn.md. Unpacked and not installed: the package would start a server of the system.
_unpack_nginx() {
	mkdir -p "$DEV/nginx"
	cd "$DEV/nginx"
	# As root apt-get fetches as another user, who may not write here, and says so.
	apt-get download nginx || { apt-get update && apt-get download nginx; }
	dpkg -x nginx_*.deb .
	rm nginx_*.deb
}

# nginx_ready: sets MEMORA_NGINX, which the test reads. A system without apt-get brings its own, or goes without that test.
nginx_ready() {
	local found=$DEV/nginx/usr/sbin/nginx
	if [[ ! -x $found ]] && command -v apt-get >/dev/null; then
		step "nginx" nginx _unpack_nginx
	fi
	if [[ -x $found ]]; then export MEMORA_NGINX=$found; fi
}

# php_ready: PHP, for the test of the example in docs/gate.md. Who may not install it goes without that test.
php_ready() {
	if ! command -v php >/dev/null && command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
		install_packages php-cli
	fi
}

# The distribution's comes first: it is built with all optimisations, and publishing takes up to two fifths longer with
# one that was compiled as pyenv does it (docs/performance-figures.md). MEMORA_PYTHON names another.
_find_python() {
	local python candidates=(/usr/bin/python3.11 python3.11 python3)
	[[ -z ${MEMORA_PYTHON:-} ]] || candidates=("$MEMORA_PYTHON")
	for python in "${candidates[@]}"; do
		# ensurepip: without it, as on a Debian that lacks python3.11-venv, no environment can be made.
		if "$python" -c 'import sys, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
			command -v "$python"
			return
		fi
	done
	return 1
}

_environment() {
	rm -rf "$BENCH/env" "$BENCH/apps/frappe"
	"$1" -m venv "$BENCH/env"
	# uv out of the same list, because it takes a third of pip's time for the rest.
	sed -n '/^uv==/,/[^\\]$/p' "$ENGINE/requirements.txt" >"$DEV/uv.txt"
	"$PYTHON" -m pip install --quiet --require-hashes -r "$DEV/uv.txt"
	# --no-deps: the list is complete, and deliberately newer in places than the engine asks for.
	"$BENCH/env/bin/uv" pip install --quiet --python "$PYTHON" --no-deps --require-hashes --compile-bytecode \
		-r "$ENGINE/requirements.txt"
}

_frappe() {
	local packages
	packages=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
	"$PYTHON" "$ENGINE/derename.py" "$packages/criscostack" "$BENCH/apps/frappe"
	"$BENCH/env/bin/uv" pip uninstall --quiet --python "$PYTHON" criscostack
	# Paths, not links into site-packages: Frappe finds its bench by where its own files are.
	printf '%s\n' "$BENCH/apps/frappe" "$REPO" >"$packages/bench_apps.pth"
	"$PYTHON" -m compileall -q -j 0 "$BENCH/apps/frappe" || true # templates of code among it don't compile
}

engine_key() { hash_of "$ENGINE/requirements.txt" "$ENGINE/derename.py"; }

engine_ready() {
	local python key
	grep -q "sha256:$WHEEL_SHA256" "$ENGINE/requirements.txt" ||
		fail "dev/engine/requirements.txt doesn't pin the engine's wheel to the one that was looked at"
	if ! python=$(_find_python); then
		[[ -z ${MEMORA_PYTHON:-} ]] || fail "MEMORA_PYTHON=$MEMORA_PYTHON is no Python 3.11 with venv and ensurepip"
		[[ ! -x /usr/bin/python3.11 ]] || install_packages python3.11-venv
		python=$(_find_python) || fail "Python 3.11 with venv is needed (Debian 12: apt-get install python3.11-venv);" \
			"dev/engine/requirements.txt is locked for it"
	fi
	key="$(engine_key) $python"
	[[ $(cat "$DEV/engine" 2>/dev/null) == "$key" ]] && return
	rm -f "$DEV/engine"
	mkdir -p "$SITES/assets" "$BENCH"/{apps,config,logs}
	step "Python packages" environment _environment "$python"
	step "Frappe" frappe _frappe
	ln -sfn "$REPO" "$BENCH/apps/memora"
	echo "$key" >"$DEV/engine"
}

# The files that make the folder a bench. Written when a port changes, too.
bench_config() {
	local config=$SITES/common_site_config.json new
	new=$(cat <<-C
		{
		 "db_host": "127.0.0.1",
		 "db_port": ${PORT[mariadb]},
		 "default_site": "$DEMO_SITE",
		 "redis_cache": "redis://127.0.0.1:${PORT[redis_cache]}",
		 "redis_queue": "redis://127.0.0.1:${PORT[redis_queue]}",
		 "redis_socketio": "redis://127.0.0.1:${PORT[redis_cache]}",
		 "webserver_port": ${PORT[web]}
		}
	C
	)
	if [[ ! -f $config || $(<"$config") != "$new" ]]; then
		printf '%s\n' "$new" >"$config"
		find "$SITES" -mindepth 2 -maxdepth 2 -name site_config.json -exec sed -i -E \
			-e "s#(\"redis_cache\": \"redis://127.0.0.1:)[0-9]+#\1${PORT[redis_cache]}#" \
			-e "s#(\"redis_queue\": \"redis://127.0.0.1:)[0-9]+#\1${PORT[redis_queue]}#" \
			-e "s#(\"host_name\": \"http://[^:]+:)[0-9]+#\1${PORT[web]}#" {} +
	fi
	printf 'frappe\nmemora\n' >"$SITES/apps.txt"
	[[ -f $SITES/assets/assets.json ]] || echo '{}' >"$SITES/assets/assets.json" # without it every page is an error
}
