#!/bin/sh
# golden.sh COMMAND...: runs the command and fails if it changed a golden file,
# that is anything under a testdata folder. Edits made before it are no matter.
set -eu

state() {
	git diff --no-ext-diff HEAD -- ':(glob)**/testdata/**' 2>/dev/null || :
	git ls-files --others --exclude-standard -- ':(glob)**/testdata/**'
}

before=$(state | git hash-object --stdin)
"$@"
if [ "$before" != "$(state | git hash-object --stdin)" ]; then
	echo "golden: the tests changed files under testdata:" >&2
	git status --short -- ':(glob)**/testdata/**' >&2
	exit 1
fi
