# All of dev/lib, in order.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$LIB/process.sh"
source "$LIB/servers.sh"
source "$LIB/engine.sh"
source "$LIB/sites.sh"
source "$LIB/genuine.sh"
source "$LIB/serving.sh"
source "$LIB/desk.sh"

# The engine, its servers and the dump of a clean site; take_lock first.
engine_up() {
	mkdir -p "$DEV" "$RUN" "$LOGS"
	mariadb_packages
	engine_ready
	servers_start
	bench_config
	dump_ready
}
