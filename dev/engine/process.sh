# Processes that outlive the command that started them. Each has a pid file with its start time beside the pid,
# so that a pid which now belongs to something else is never signalled.

# When the process started; nothing for one that is gone, or that only waits to be reaped.
_started_at() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	read -ra stat <<<"${stat##*) }" # behind the name, which may hold anything
	if [[ ${stat[0]} != Z ]]; then echo "${stat[19]}"; fi
}

# running NAME: does what we started under that name still run?
running() {
	local pid since
	read -r pid since 2>/dev/null <"$RUN/$1.pid" || return 1
	[[ $(_started_at "$pid") == "$since" ]]
}

# launch NAME command...: in the background, in a process group of its own, output to log/NAME.log.
launch() {
	local name=$1 pid
	shift
	mkdir -p "$RUN" "$LOGS"
	setsid "$@" >>"$LOGS/$name.log" 2>&1 </dev/null 6>&- 7>&- 8>&- 9>&- &
	pid=$!
	echo "$pid $(_started_at "$pid")" >"$RUN/$name.pid"
}

# halt NAME [seconds]: ask, wait, insist.
halt() {
	local name=$1 patience=${2:-10} pid
	if running "$name"; then
		read -r pid _ <"$RUN/$name.pid"
		kill -TERM "$pid" 2>/dev/null || true
		for ((i = 0; i < patience * 20; i++)); do
			running "$name" || break
			sleep 0.05
		done
		if running "$name"; then kill -KILL -- "-$pid" 2>/dev/null || true; fi
		say "stopped $name"
	fi
	rm -f "$RUN/$name.pid"
}

# until_ready NAME seconds command...: wait for the command to succeed while NAME runs.
until_ready() {
	local name=$1 patience=$2
	shift 2
	for ((i = 0; i < patience * 20; i++)); do
		running "$name" || break # before it is asked: another server may answer at its port
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	tail -n 15 "$LOGS/$name.log" 2>/dev/null | sed 's/^/    /' >&2
	fail "$name did not come up in $patience s. Its log: $LOGS/$name.log"
}
