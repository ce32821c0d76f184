# All that commands share, in order: dev/lib, then the engine's parts.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$LIB/genuine.sh"
source "$ENGINE/process.sh"
source "$ENGINE/servers.sh"
source "$ENGINE/engine.sh"
source "$ENGINE/sites.sh"
source "$ENGINE/serving.sh"
source "$ENGINE/desk.sh"

# The engine, its servers and the dump of a clean site; take_lock first.
engine_up() {
	mkdir -p "$DEV" "$RUN" "$LOGS"
	mariadb_packages
	engine_ready
	servers_start
	bench_config
	dump_ready
}
