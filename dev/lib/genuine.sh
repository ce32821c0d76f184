# A genuine bench (MEMORA_BENCH): its own Python, Frappe and running servers, and the one site named by MEMORA_SITE.
# memora is linked and installed there where it isn't; nothing else is changed.

# Whether the site has memora. `list-apps` would not know: on a site that was migrated before, it lists what has been
# installed since only after the next migration.
has_memora() { bench --site "$1" execute frappe.get_installed_apps | grep -q '"memora"'; }

_link_memora() {
	ln -s "$REPO" "$BENCH/apps/memora"
	"$PYTHON" -m pip install --quiet --editable "$REPO"
	grep -qx memora "$SITES/apps.txt" 2>/dev/null || printf '%s\n' memora >>"$SITES/apps.txt"
	bench --site "$MEMORA_SITE" clear-cache # Frappe keeps the list of apps there
}

_install_memora() {
	if has_memora "$MEMORA_SITE"; then
		bench --site "$MEMORA_SITE" migrate
	else
		bench --site "$MEMORA_SITE" install-app memora
	fi
}

# What the tests need, with nothing changed that the bench has: its Frappe pins older releases than the tests would bring.
genuine_install() {
	mkdir -p "$RUN"
	"$PYTHON" -m pip freeze --exclude-editable >"$RUN/held.txt"
	"$PYTHON" -m pip install --editable "$REPO" --requirement "$ENGINE/requirements-test.in" --constraint "$RUN/held.txt"
}

genuine_ready() {
	local key state
	mkdir -p "$DEV" "$RUN" "$LOGS"
	if [[ ! -e $BENCH/apps/memora ]]; then
		step "memora linked in $BENCH" genuine-link _link_memora
	elif [[ $(readlink -f "$BENCH/apps/memora") != "$REPO" ]]; then
		fail "$BENCH/apps/memora is not this folder but $(readlink -f "$BENCH/apps/memora")"
	fi
	"$PYTHON" -c 'import orjson, jsonschema_rs, boto3, prometheus_client, pytest, hypothesis, jsonschema, moto, flask_cors' 2>/dev/null ||
		fail "memora's tests need more than $BENCH/env has; say: dev/test --install"
	command -v redis-server >/dev/null ||
		fail "there is no redis-server on the PATH: the fault scenarios start one of their own, as the bench does"
	key=$(app_key)
	state=$RUN/genuine-$(printf '%s' "$BENCH/$MEMORA_SITE" | sha256sum | cut -c1-16)
	if [[ $(cat "$state" 2>/dev/null) != "$key" ]]; then
		step "memora installed on $MEMORA_SITE" genuine-install _install_memora
		echo "$key" >"$state"
	fi
}

# What the browser's tests lack there, as a sentence that says what to do; nothing when they can run.
genuine_lacks_for_browsers() {
	if ! grep -qs '"memora.bundle.js"' "$SITES/assets/assets.json"; then
		echo "$BENCH has no bundles of memora; say: bench build --app memora"
	elif ! "$PYTHON" -c 'import playwright' 2>/dev/null; then
		echo "$BENCH/env has no playwright; say: dev/test --install"
	elif ! command -v chromium-headless-shell chromium chromium-browser >/dev/null; then
		echo "there is no Chromium on the PATH; say: apt-get install chromium-headless-shell"
	fi
}
