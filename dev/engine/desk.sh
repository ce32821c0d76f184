# The Desk's bundles, which the engine has as sources only. Not part of dev/up: only what opens a browser needs them.

_npm_packages() {
	# No scripts of packages: esbuild's program comes as a package of its own.
	cp "$ENGINE"/bundles/{package.json,package-lock.json,build.mjs} "$DEV/desk/"
	(cd "$DEV/desk" && npm ci --ignore-scripts --no-audit --no-fund)
}

_bundles() {
	(cd "$DEV/desk" && node build.mjs "$BENCH" frappe memora)
	ln -sfn "$DEV/desk/node_modules" "$BENCH/apps/frappe/frappe/public/node_modules" # the code editor comes from there
	redis cache flushall # Frappe keeps the bundles' addresses there
}

_kit_packages() {
	mkdir -p "$DEV/kit"
	cp "$ENGINE"/kit/{package.json,package-lock.json} "$DEV/kit/"
	(cd "$DEV/kit" && npm ci --ignore-scripts --no-audit --no-fund)
	_kit_is_whole # npm 9 can end in the middle and call that a success
}

_kit_is_whole() {
	local package
	while read -r package; do
		[[ -e $DEV/kit/node_modules/$package/package.json ]] || return 1
	done < <(sed -n 's/^  "\([^"]*\)": .*/\1/p' "$ENGINE/kit/package.json")
}

# node_ready: Node and npm.
node_ready() {
	packages npm=npm node=nodejs
	node_options
}

# Debian 12 has Node 18, where Web Cryptography, which the gate needs, is there only if asked for.
node_options() {
	if [[ $(node --version) == v18.* ]]; then export NODE_OPTIONS=--experimental-global-webcrypto; fi
}

# kit_ready: the npm packages that make and check the contract's types, lint JavaScript and try the reader. The reader's own
# are linked to where a bench serves them.
kit_ready() {
	local lock package
	node_ready
	lock=$(hash_of "$ENGINE/kit/package-lock.json")
	if [[ $(cat "$DEV/kit/installed" 2>/dev/null) != "$lock" ]] || ! _kit_is_whole; then
		step "npm packages of the kit" npm-kit _kit_packages
		printf '%s\n' "$lock" >"$DEV/kit/installed"
	fi
	mkdir -p "$REPO/memora/public/node_modules"
	for package in dompurify katex @highlightjs; do
		# A bench has installed it there by itself.
		[[ -e $REPO/memora/public/node_modules/$package ]] ||
			ln -sfn "$DEV/kit/node_modules/$package" "$REPO/memora/public/node_modules/$package"
	done
}

# assets_ready: after engine_up. Bundles again when the engine or memora's own bundles have changed.
assets_ready() {
	local wanted key
	kit_ready
	mkdir -p "$DEV/desk"
	wanted=$(hash_of "$ENGINE"/bundles/* "$REPO/package.json")
	if [[ $(cat "$DEV/desk/installed" 2>/dev/null) != "$wanted" ]]; then
		step "npm packages" npm _npm_packages
		echo "$wanted" >"$DEV/desk/installed"
	fi
	key=$wanted-$(engine_key)-$(find "$REPO/memora/public/"{js,css,reader/js/tex.js} -type f -not -path '*/dist/*' 2>/dev/null |
		sort | xargs -r cat | sha256sum | cut -c1-16)
	if [[ $(cat "$DEV/desk/built" 2>/dev/null) != "$key" ]]; then
		step "the Desk's bundles" bundles _bundles
		echo "$key" >"$DEV/desk/built"
	fi
}
