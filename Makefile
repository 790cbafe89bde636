# One screen. `make check` is exactly what CI runs.
.PHONY: help build dev test check lint fuzz screenshots bench torture vuln
.DEFAULT_GOAL := help
FUZZTIME ?= 30s
FUZZ ?= ./...
# SQLite is C made into Go, which the race detector slows down ten times, to look for races
# within SQLite. It looks at us and at the driver; vet runs among the linters.
RACE := -race -vet=off -gcflags=modernc.org/...=-race=false -gcflags=modernc.org/sqlite=

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

build: ## the program, as bin/tongbo
	CGO_ENABLED=0 go build -trimpath -o bin/tongbo ./cmd/tongbo

dev: ## a demo on this machine: temporary database, simulated PGs, a shop that listens
	go run ./cmd/tongbo demo

test: ## all tests; installs what they need if it may
	@scripts/need.sh cc postgres node browser
	@scripts/need.sh receivers || echo "the receivers of docs/ are tested without what is missing"
	CGO_ENABLED=1 go test $(RACE) -timeout 20m ./...
	go test ./test ./test/bench

check: lint ## what CI runs: the linters, the tests, tidy modules, unchanged golden files
	scripts/golden.sh $(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory fuzz FUZZTIME=60000x FUZZ=./internal/provider/...
	go mod tidy -diff

lint: ## the linters (.golangci.yml)
	scripts/tool.sh golangci-lint run ./...

fuzz: ## every fuzz target in turn, FUZZTIME=30s each; FUZZ=./internal/provider/... for some
	@go list -f '{{.ImportPath}} {{.Dir}}' $(FUZZ) | while read -r p dir; do \
		sed -n 's/^func \(Fuzz[[:alnum:]]*\)(.*/\1/p' "$$dir"/*_test.go 2>/dev/null | while read -r f; do \
			echo "$$p $$f"; try="go test -vet=off -run ^$$ -fuzz ^$$f$$ -fuzztime $(FUZZTIME) $$p"; \
			$$try || { echo "once more: a find is in testdata/fuzz and fails again"; $$try; } || exit 1; \
		done || exit 1; done

screenshots: ## a picture of every page of the console into screenshots/; PICTURES=docs/images: the documents' anew
	@scripts/need.sh browser
	TONGBO_SCREENSHOTS=$(CURDIR)/screenshots TONGBO_PICTURES=$(abspath $(PICTURES)) go test -count 1 -run 'TestEveryPage|TestSampleShop' ./test/browser

bench: ## the whole program against its floors, into docs/benchmarks.md; BENCH='-only accept' for a part
	@scripts/need.sh postgres
	go run ./test/bench -keep docs/benchmarks.json -write docs/benchmarks.md $(BENCH)

torture: ## kill -9, database restarted, failed over or gone, disk full; long, without -race
	@scripts/need.sh postgres
	TONGBO_TORTURE=200 go test -count 1 -timeout 2h -v ./test/...

vuln: ## known vulnerabilities in what we use; needs vuln.go.dev
	scripts/tool.sh govulncheck ./...
