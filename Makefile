# make help lists what there is to do.

GO      ?= go
BIN     ?= bin
LDFLAGS := -s -w
TAGS    := grpcnotrace
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: help
help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 22

.PHONY: build
build: ## build bin/runattest
	CGO_ENABLED=0 $(GO) build -trimpath -tags='$(TAGS)' -ldflags='$(LDFLAGS)' -o $(BIN)/runattest ./cmd/runattest

PLUGINS := awskms azurekms gcpkms hashivault pkcs11

.PHONY: plugins
plugins: $(PLUGINS:%=plugin-%) ## build the KMS plugins into bin/plugins, to be on PATH

# What talks to hardware modules loads their libraries, which takes cgo.
plugin-pkcs11: CGO := 1
plugin-%:
	cd plugins && CGO_ENABLED=$(or $(CGO),0) $(GO) build -trimpath -tags='$(TAGS)' -ldflags='$(LDFLAGS)' -o $(abspath $(BIN))/plugins/sigstore-kms-$* ./cmd/sigstore-kms-$*

.PHONY: test
test: ## run the tests
	$(GO) test ./...
	cd canonical/bench && $(GO) test ./...

.PHONY: test-release
test-release: ## run the tests of the release program, a module of its own
	cd release && $(GO) test -timeout 30m ./...

.PHONY: release
release: ## build a release in dist: make release VERSION=v0.1.0 KEY=release.key (without VERSION a snapshot)
	$(GO) -C release run . build $(if $(VERSION),--version $(VERSION),--snapshot) --key "$(if $(findstring ://,$(KEY)),$(KEY),$(abspath $(KEY)))" --out $(CURDIR)/dist

.PHONY: release-check
release-check: ## build a snapshot of HEAD, verify it, install it with pip, uv, pipx, npm and pnpm (TARGETS=linux/amd64: only that)
	./.ci/release-check $(TARGETS)

.PHONY: test-plugins
test-plugins: ## run the tests of the KMS plugins, a module of its own
	cd plugins && $(GO) test ./...

.PHONY: test-python
test-python: build ## run the tests of the Python package, on every Python from 3.10 that is here
	./.ci/test-python $(BIN)/runattest $(if $(LONG),--long)

.PHONY: race
race: ## run the tests under the race detector
	$(GO) test -race -short -timeout 30m ./...

.PHONY: lint
lint: ## vet, formatting, staticcheck, and the words and line widths of the texts
	@test -z "$$(gofmt -l .)" || { gofmt -l . ; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) test ./internal/testing/language
	cd canonical/bench && $(GO) vet ./...
	cd e2e && $(GO) vet ./...
	cd plugins && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...
	cd release && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...

.PHONY: lint-workflows
lint-workflows: ## actionlint and zizmor over .github/workflows
	./.ci/lint-workflows

.PHONY: vuln
vuln: ## govulncheck, where its database can be reached
	$(GO) run $(GOVULNCHECK) ./...
	cd plugins && $(GO) run $(GOVULNCHECK) ./...

.PHONY: docs
docs: ## write docs/cli again from the commands
	$(GO) test ./cmd/runattest -run TestDocs -update

.PHONY: demo
demo: build ## declare, sign, verify, and see a tampered bundle refused
	./docs/demo.sh $(BIN)/runattest

.PHONY: demo-gateway
demo-gateway: build $(BIN)/demo-gateway/installed ## a program's model calls: one signed, one refused, the journal verified
	./examples/gateway/demo.sh $(BIN)/runattest $(BIN)/demo-gateway/bin/python

$(BIN)/demo-gateway/installed: examples/gateway/requirements.txt
	python3 -m venv $(BIN)/demo-gateway
	$(BIN)/demo-gateway/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	touch $@

.PHONY: embed
embed: ## a program that embeds the gate, a module of its own: it signs, admits, and starts the work
	cd examples/embed && test -z "$$(gofmt -l .)" && $(GO) vet . && dir=$$(mktemp -d) && CGO_ENABLED=0 $(GO) run . $$dir && \
		grep -q '"allowed":true' $$dir/decisions.jsonl && rm -r $$dir

.PHONY: bench
bench: build ## whole-process time, memory and size, installed commands beside the bare one (of the release in dist), the cost of a verification
	$(GO) run ./cmd/procbench $(BIN)/runattest
	$(GO) run ./cmd/procbench -installed $(or $(DIST),dist)
	$(GO) test -run '^$$' -bench . -benchmem ./attest ./attest/runset
	$(GO) test -run '^$$' -bench BesideLibrary -benchmem ./sigstore

.PHONY: bench-gateway
bench-gateway: ## a call through the gateway, beside a direct one and a bare reverse proxy, and what it waits for the disk
	$(GO) test -run '^$$' -bench '^BenchmarkDisk$$' ./gateway/journal
	$(GO) test -run '^$$' -bench '^Benchmark(Beside|Call)$$' -benchmem ./gateway

.PHONY: bench-gateway-peers
bench-gateway-peers: build ## the gateway beside LiteLLM, Portkey, TensorZero, nginx and others; installs them the first time (2 GB, minutes)
	./.ci/bench-gateway-peers $(BIN)/runattest

.PHONY: bench-python
bench-python: build ## signatures a second from one thread of Python, beside a client in Go
	$(GO) run ./cmd/procbench -lines $(BIN)/runattest
	@dir=$$(mktemp -d) && $(BIN)/runattest keygen --no-password -o $$dir/k 2>/dev/null && \
		RUNATTEST_BIN=$(abspath $(BIN))/runattest PYTHONPATH=python/src python3 python/bench.py $$dir/k.key testdata/declarations/openai-tools.json; \
		status=$$?; rm -r $$dir; exit $$status

.PHONY: bench-canonical
bench-canonical: ## canonical beside its peers
	cd canonical/bench && $(GO) run .

.PHONY: e2e
e2e: build softhsm recipes ## the real peers: cosign signs and verifies with us
	cd e2e && RUNATTEST=$(CURDIR)/$(BIN)/runattest $(GO) test -count=1 -timeout 40m -skip '^TestKMSVault' ./...

.PHONY: e2e-vault
e2e-vault: build ## keys of a real Vault; the first time it builds one, which takes minutes
	cd e2e && RUNATTEST=$(CURDIR)/$(BIN)/runattest $(GO) test -count=1 -timeout 40m -run '^TestKMSVault' .

.PHONY: softhsm
softhsm: ## install SoftHSM, which the end-to-end tests take for a hardware module
	./.ci/install-softhsm

.PHONY: recipes
recipes: ## install Slurm and systemd-analyze, for which there are recipes in examples/exec
	./.ci/install-recipes

.PHONY: bench-plugins
bench-plugins: plugins ## size and start-up of each KMS plugin
	$(GO) run ./cmd/procbench -plugins $(BIN)/plugins/*

.PHONY: test-kill
test-kill: ## kill a process that writes a journal at 200 random instants
	JOURNAL_KILLS=200 $(GO) test ./gateway/journal -count=1 -run TestKilled -v

.PHONY: e2e-long
e2e-long: build test-kill ## the long tests whole: their short forms are in test and e2e
	cd e2e && RUNATTEST=$(CURDIR)/$(BIN)/runattest E2E_LONG=1 $(GO) test -count=1 -timeout 40m -v -run '^TestGateway(Killed|Memory|IdleConnections|WindowsLater|Certificates)$$' .
	RUNSET_RUNS=1000000 $(GO) test ./attest/runset -count=1 -run '^TestMemoryOfProcess$$' -v
	TEST_SIGN_MEMORY=20000 $(GO) test ./cmd/runattest -count=1 -timeout 40m -run '^TestSignMemory$$' -v
	$(MAKE) test-python LONG=1

.PHONY: fuzz
fuzz: ## a minute of each fuzz target (FUZZTIME=1h for a campaign, 20000x for so many executions)
	./.ci/fuzz $(or $(FUZZTIME),1m)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN) demo
