# The sites: memora.localhost to look at and to demonstrate, which keeps its data; test.localhost (and test2.localhost
# … for runs at the same time), which come back from a dump in a second or two.

DEMO_SITE=memora.localhost
DUMPS=$DEV/dumps
PUBLISHED=$DEV/published    # what the demo publishes: outside the bench, where no web server shows it
GATE_CONFIG=$DEV/gate.json  # of the gate in front of it
DB_PASSWORD=memora
ADMIN_PASSWORD=admin

# Everything that `bench migrate` would act on. A change of it makes new dumps.
app_key() {
	(
		cd "$REPO/memora"
		{
			find . -name '*.json' -path './memora/*'
			find . -path './patches/*.py' -o -path './fixtures/*'
			grep -rl --include='*.py' 'def on_doctype_update' . || true
			ls hooks.py modules.txt patches.txt install.py 2>/dev/null || true
		} | LC_ALL=C sort -u | xargs sha256sum | sha256sum | cut -c1-16
	)
}

_site_config() { # site database redis-index allow_tests
	mkdir -p "$SITES/$1"/{public/files,private/files,private/backups,locks,logs}
	cat >"$SITES/$1/site_config.json" <<-C
		{
		 "allow_tests": $4,
		 "db_name": "$2",
		 "db_password": "$DB_PASSWORD",
		 "db_type": "mariadb",
		 "host_name": "http://$1:${PORT[web]}",
		 "redis_cache": "redis://127.0.0.1:${PORT[redis_cache]}/$3",
		 "redis_queue": "redis://127.0.0.1:${PORT[redis_queue]}/$3"
		}
	C
}

_database() {
	sql <<-SQL
		DROP DATABASE IF EXISTS \`$1\`;
		CREATE DATABASE \`$1\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
		CREATE OR REPLACE USER '$1'@'127.0.0.1' IDENTIFIED BY '$DB_PASSWORD';
		GRANT ALL ON \`$1\`.* TO '$1'@'127.0.0.1';
	SQL
}

# _restore site database redis-index allow_tests dump: the site as the dump has it, and nothing of before.
_restore() {
	_site_config "$1" "$2" "$3" "$4"
	_database "$2"
	sql "$2" <"$5"
	redis cache -n "$3" flushdb >/dev/null
	redis queue -n "$3" flushdb >/dev/null
	rm -rf "${SITES:?}/$1"/{public,private}/files/*
}

_dump() { # database file
	mkdir -p "$DUMPS"
	mariadb-dump --defaults-file="$DEV/mariadb/client.cnf" --single-transaction --skip-comments "$1" >"$2.part"
	mv "$2.part" "$2"
}

# Frappe alone, its set-up wizard done: the costly part, the same until the engine changes.
_dump_of_frappe() {
	local site=base.localhost
	rm -rf "${SITES:?}/$site"
	bench new-site "$site" --db-name memora_base --db-password "$DB_PASSWORD" --admin-password "$ADMIN_PASSWORD" \
		--db-root-username root --db-root-password "$DB_ROOT_PASSWORD" --no-mariadb-socket --force
	bench --site "$site" execute frappe.utils.install.complete_setup_wizard
	# no tour of the Desk over what one wants to see
	bench --site "$site" execute frappe.db.set_single_value --args "['System Settings', 'enable_onboarding', 0]"
	_dump memora_base "$1"
	sql -e 'DROP DATABASE memora_base'
	rm -rf "${SITES:?}/$site"
}

_dump_of_memora() {
	local site=base.localhost
	_restore "$site" memora_base 15 true "$1"
	bench --site "$site" install-app memora
	_dump memora_base "$2"
	sql -e 'DROP DATABASE memora_base'
	rm -rf "${SITES:?}/$site"
	_drop_old_dumps
}

# The newest few stay: going back and forth between branches is then cheap.
_drop_old_dumps() {
	local kind
	for kind in frappe memora; do
		find "$DUMPS" -name "$kind-*.sql" -printf '%T@ %p\n' | sort -rn | tail -n +5 | cut -d' ' -f2- | xargs -r rm -f
	done
}

# Sets DUMP, the file that a clean site comes from.
dump_ready() {
	local key base
	key=$(engine_key)-$(hash_of "$ENGINE/sites.sh")
	base=$DUMPS/frappe-$key.sql
	[[ -f $base ]] || step "a site with Frappe" site-frappe _dump_of_frappe "$base"
	DUMP=$DUMPS/memora-$key-$(app_key).sql
	[[ -f $DUMP ]] || step "memora installed on it" site-memora _dump_of_memora "$base" "$DUMP"
}

demo_site_ready() {
	local key state=$SITES/$DEMO_SITE/memora-key
	key=$(engine_key)-$(app_key)
	if [[ ! -f $state ]]; then
		rm -rf "${PUBLISHED:?}/$DEMO_SITE"{,.meta} "$GATE_CONFIG"
		step "$DEMO_SITE" site-demo _restore "$DEMO_SITE" memora_demo 0 false "$DUMP"
	elif [[ $(<"$state") != "$key" ]]; then
		step "$DEMO_SITE migrated" site-demo bench --site "$DEMO_SITE" migrate
	fi
	echo "$key" >"$state"
}

# take_test_sites [COUNT]: the first test sites that no other run holds, as new, held until this command ends or lets them
# go. Sets TEST_SITES. SITE_LOCKS are file descriptors.
TEST_SITES=() SITE_LOCKS=()

take_test_sites() {
	local number lock
	mkdir -p "$RUN"
	for ((number = 1; number <= 9 && ${#TEST_SITES[@]} < ${1:-1}; number++)); do
		exec {lock}>"$RUN/test$number.lock"
		if flock -n "$lock"; then
			SITE_LOCKS+=("$lock")
			TEST_SITES+=("test$( ((number == 1)) || echo "$number").localhost")
			_restore_test_site "${TEST_SITES[-1]}" "$number"
		else
			exec {lock}>&-
		fi
	done
	((${#TEST_SITES[@]} == ${1:-1})) || fail "runs of dev/test hold the nine test sites; wait for one to end"
}

release_test_sites() {
	local lock
	for lock in "${SITE_LOCKS[@]}"; do exec {lock}>&-; done
	SITE_LOCKS=()
}

_restore_test_site() { step "$1 as new" "site-test$2" _restore "$1" "memora_test$2" "$2" true "$DUMP"; }
