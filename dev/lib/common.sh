# What every command under dev/ starts from: where things are, how progress and failure are told, one at a time.
# Sourced, never run.
# shellcheck disable=SC2034 # those who source it use them

set -euo pipefail

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
DEV=${MEMORA_DEV_DIR:-$REPO/.dev}
[[ $DEV == /* ]] || DEV=$PWD/$DEV
LIB=$REPO/dev/lib
ENGINE=$REPO/dev/engine
RUN=$DEV/run   # pid files
LOGS=$DEV/log
COMMAND=$(realpath --relative-to="$REPO" "$0")
SECONDS=0

# A step's line carries the seconds since the command began, so that a slow step shows itself.
say() { printf '%4ss  %s\n' "$SECONDS" "$*"; }

fail() {
	printf '\n%s: %s\n' "$COMMAND" "$*" >&2
	exit 1
}

# no_arguments "$@": of a command that takes none. Asked for help it says what it does, and does not do it.
no_arguments() {
	case ${1:-} in
		'') ;;
		-h | --help)
			sed -n '2,/^[^#]/s/^# \?//p' "$0"
			exit
			;;
		*) fail "there is no $1; see $COMMAND --help" ;;
	esac
}

# step "what it does" log-name command...: output goes to a log that a failure names.
step() {
	local what=$1 log=$LOGS/$2.log
	shift 2
	mkdir -p "$LOGS"
	# In the background, because bash ignores `set -e` in all that runs as a condition.
	"$@" >"$log" 2>&1 </dev/null &
	if ! wait $!; then
		tail -n 15 "$log" | sed 's/^/    /' >&2
		fail "$what: failed. The last lines are above, all of it is in $log. Run it again when the cause is gone;" \
			"dev/clean starts over."
	fi
	say "$what"
}

# One command at a time prepares things. The lock is the dev/ folder itself, since .dev may be removed under it;
# file descriptor 8, which whatever we leave running must not inherit.
take_lock() {
	exec 8<"$REPO/dev"
	flock -n 8 && return 0 # also in a trap, where a plain return gives back what the command ended with
	say "another command of dev/ is at work, waiting for it"
	flock -w 1200 8 || fail "the other command has not ended in 20 minutes; look for it with: fuser -v $REPO/dev"
}

drop_lock() { exec 8<&-; }

hash_of() { cat "$@" | sha256sum | cut -c1-16; }

# MEMORA_BENCH names a genuine bench: then dev/ sets nothing up, and what it needs is already running there.
is_genuine() { [[ -n ${MEMORA_BENCH:-} ]]; }

if is_genuine; then
	BENCH=$(cd "$MEMORA_BENCH" 2>/dev/null && pwd -P) || fail "MEMORA_BENCH=$MEMORA_BENCH is not a folder"
	[[ -d $BENCH/apps/frappe && -d $BENCH/sites ]] || fail "MEMORA_BENCH=$MEMORA_BENCH has no apps/frappe and sites"
	[[ -x $BENCH/env/bin/python ]] || fail "MEMORA_BENCH=$MEMORA_BENCH has no env/bin/python"
	[[ -n ${MEMORA_SITE:-} ]] || fail "MEMORA_BENCH needs MEMORA_SITE: the one site there that may be written to"
	[[ -f $BENCH/sites/$MEMORA_SITE/site_config.json ]] || fail "$BENCH has no site $MEMORA_SITE"
else
	BENCH=$DEV/bench
fi
SITES=$BENCH/sites
PYTHON=$BENCH/env/bin/python

# What `bench` does with a Frappe command, without bench itself.
bench() { (cd "$SITES" && exec "$PYTHON" -m frappe.utils.bench_helper frappe "$@"); }
