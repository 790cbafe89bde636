#!/bin/sh
# need.sh PART...: makes sure that the tests' parts are on this machine.
#
#   cc        a C compiler with its headers, for Go's race detector
#   postgres  PostgreSQL's server programs (15 or later); the tests start a
#             private cluster of their own and leave any other one alone
#   node      Node 18 or later and npm, which fetches the clients that the tests
#             run (test/clients)
#   browser   Chromium and a Korean font: the console is tested in it
#   receivers PHP, FastAPI, and Java with Spring: the shops of docs/receivers are
#             tested with what is there
#
# It is silent when nothing is missing. Otherwise it installs the Debian
# packages if it may (root, or sudo without a password), or prints the one line
# that does so and fails.
set -eu

say() { echo "need: $*" >&2; }

have_cc() {
	command -v gcc >/dev/null 2>&1 &&
		echo '#include <stdlib.h>' | gcc -E -x c - >/dev/null 2>&1
}

have_postgres() {
	# A cluster that the caller provides needs no server programs here.
	[ -z "${TONGBO_TEST_POSTGRES:-}" ] || return 0
	for initdb in "$(command -v initdb || :)" /usr/lib/postgresql/*/bin/initdb; do
		[ -x "$initdb" ] && [ -x "$(dirname "$(readlink -f "$initdb")")/postgres" ] || continue
		version=$("$initdb" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
		[ "${version:-0}" -ge 15 ] && return 0
	done
	return 1
}

have_node() {
	command -v npm >/dev/null 2>&1 && major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) && [ "$major" -ge 18 ]
}

have_browser() {
	{ command -v chromium || command -v google-chrome; } >/dev/null 2>&1 && fc-list :lang=ko 2>/dev/null | grep -q .
}

# missing_receivers prints the packages of the runtimes that are not there.
missing_receivers() {
	command -v php >/dev/null 2>&1 || printf ' php-cli'
	for python in python3 /usr/bin/python3 ''; do
		[ -n "$python" ] || { printf ' python3-fastapi python3-uvicorn'; break; }
		! "$python" -c 'import fastapi, uvicorn' 2>/dev/null || break
	done
	command -v javac >/dev/null 2>&1 || printf ' default-jdk-headless'
	[ -e /usr/share/java/spring3-web.servlet.jar ] || printf ' libspring-web-servlet-java'
	[ -e /usr/share/java/jetty9-server.jar ] || printf ' libjetty9-java'
	[ -e /usr/share/java/jackson-databind.jar ] || printf ' libjackson2-databind-java'
}

packages=
for part; do
	case $part in
	cc) have_cc || packages="$packages gcc libc6-dev" ;;
	postgres) have_postgres || packages="$packages postgresql" ;;
	node) have_node || packages="$packages nodejs npm" ;;
	browser) have_browser || packages="$packages chromium fonts-nanum fontconfig" ;;
	receivers) packages="$packages$(missing_receivers)" ;;
	*) say "unknown part: $part"; exit 2 ;;
	esac
done
packages=${packages# }
[ -n "$packages" ] || exit 0

by_hand() {
	say "$1"
	say "as root, please run: apt-get update && apt-get install -y --no-install-recommends $packages"
	exit 1
}

command -v apt-get >/dev/null 2>&1 || by_hand "missing here, and this is not a Debian system (so install what these packages hold): $packages"
if [ "$(id -u)" -eq 0 ]; then
	root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	root="sudo -n"
else
	by_hand "missing here, and installing needs root: $packages"
fi

# Debian would create and start a cluster along with the server. The tests need
# the programs only, so this machine gets no service that nobody asked for.
conf=/etc/postgresql-common/createcluster.conf
case " $packages " in
*" postgresql "*)
	if [ ! -e "$conf" ]; then
		$root mkdir -p "${conf%/*}"
		echo 'create_main_cluster = false' | $root tee "$conf" >/dev/null
	fi
	;;
esac

apt() {
	$root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}
say "installing $packages"
apt update || by_hand "apt-get update failed"
# shellcheck disable=SC2086 # a list of packages
apt install -y --no-install-recommends $packages || by_hand "apt-get install failed"
say "done"
