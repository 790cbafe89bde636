#!/bin/sh
# tool.sh NAME ARG...: runs a tool that tools/go.mod pins. The first run builds
# it into .cache/bin, under its version and Go's, so that later runs start at
# once and a new version never meets an old binary.
set -eu
cd "$(dirname "$0")/.."

name=$1
shift
package=$(awk -v tail="/cmd/$name" 'NF && substr($NF, length($NF) - length(tail) + 1) == tail { print $NF }' tools/go.mod)
[ -n "$package" ] || { echo "tool: tools/go.mod names no tool $name" >&2; exit 2; }
version=$(awk -v module="${package%/cmd/*}" '$1 == module { print $2 }' tools/go.mod)
program=.cache/bin/$name-$version-$(go env GOVERSION)
if [ ! -x "$program" ]; then
	echo "tool: building $name $version (once; this may take minutes)" >&2
	# Built under another name first: an interrupted build leaves nothing behind.
	nice go build -C tools -o "../$program.new" "$package"
	mv "$program.new" "$program"
fi
exec "$program" "$@"
