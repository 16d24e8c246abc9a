# Every task of the project. `make` alone lists them.

export CGO_ENABLED ?= 0

GO    ?= go
# Version and commit come from the checkout; a source archive has none to give.
VCS   := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)
BUILD := -trimpath -buildvcs=$(VCS) -ldflags='-s -w'

CONFIG      ?=
ENVIRONMENT ?= dev
ARGS        ?=
VERSION     ?=
AGAINST     ?=
SERVER      ?= http://127.0.0.1:5000

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: ## Build the static binary bin/vserver
	$(GO) build $(BUILD) -o bin/vserver .

.PHONY: run
run: build ## Serve a configuration: make run CONFIG=server.yaml ENVIRONMENT=dev
	@test -n "$(CONFIG)" || { echo "make run: give CONFIG=FILE (and ENVIRONMENT=NAME)"; exit 2; }
	bin/vserver run --config "$(CONFIG)" --environment "$(ENVIRONMENT)" $(ARGS)

.PHONY: demo
demo: build ## Show the whole job on simulated hospitals: make demo ARGS='--nodes 10'
	bin/vserver demo $(ARGS)

.PHONY: test
test: ## Check everything on SQLite and PostgreSQL, installing what is missing
	@.ci/test

.PHONY: test-long
test-long: ## The same with long fuzz runs and the tests that take hours
	@.ci/test --long

.PHONY: bench
bench: build ## Measure, beside an older program with AGAINST=PROGRAM; all rows are of the same run
	bin/vserver bench $(if $(AGAINST),--against $(AGAINST)) $(ARGS)
	$(GO) test -run '^$$' -bench BenchmarkTable -benchtime 1x -timeout 30m ./service

.PHONY: release
release: ## Build archives, packages and checksums into dist/: make release VERSION=1.2.3
	@VERSION='$(VERSION)' .ci/release

.PHONY: generate
generate: ## Write the generated code again
	@if [ -f sqlc.yaml ]; then .ci/tool sqlc generate; fi
	$(GO) generate ./...

.PHONY: lint
lint: ## Lint; the rules and their reasons stand in .golangci.yml
	.ci/tool golangci-lint run --allow-parallel-runners

.PHONY: ui
ui: embed/ui/node_modules ## Develop the web interface, with reload: make ui SERVER=http://127.0.0.1:5000
	cd embed/ui && npm run --silent types && VSERVER='$(SERVER)' npm run --silent dev

.PHONY: ui-build
ui-build: embed/ui/node_modules ## Check the web interface and build it into embed/dist
	cd embed/ui && npm run --silent types && npm run --silent lint && npm run --silent build

.PHONY: browser
browser: build ## Drive the pages of the built binary in a browser
	cd embed/ui/test && npm ci --no-audit --no-fund --ignore-scripts && npm test

.PHONY: screenshots
screenshots: build ## Write a picture of every screen of the web interface into embed/ui/screenshots
	cd embed/ui/test && npm ci --no-audit --no-fund --ignore-scripts && SCREENSHOTS=../screenshots node --test --test-concurrency=1 screens.test.mjs manage.test.mjs

.PHONY: ui-numbers
ui-numbers: build ## Measure the web interface in a browser, on 500 nodes and 10,000 tasks
	cd embed/ui/test && npm ci --no-audit --no-fund --ignore-scripts && node numbers.mjs

embed/ui/node_modules: embed/ui/package-lock.json
	cd embed/ui && npm ci --no-audit --no-fund --ignore-scripts && touch node_modules
