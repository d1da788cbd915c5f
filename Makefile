# Everything that is done with this repository, by name: run `make`.

GO          ?= go
FUZZTIME    ?= 5s
PREFIX_BIN   = $(CURDIR)/bin

# Tools are pinned, built by the Go toolchain, and live below ./bin.
LINT_VERSION  = v2.15.0
LINT          = $(PREFIX_BIN)/golangci-lint-$(LINT_VERSION)
BENCHSTAT     = golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

.DEFAULT_GOAL = help
.PHONY: help build demo examples test race lint fuzz bench smoke test-servers check fmt-check layers tidy-check generated install

help: ## show this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the program into ./bin
	$(GO) build -trimpath -o bin/ ./cmd/maildns

demo: ## plan, apply and roll back the runbook's own domain on a zone file: no account, network or secret
	@GO='$(GO)' examples/demo.sh

examples: ## validate and plan every configuration below examples/
	@GO='$(GO)' examples/check.sh

test: ## run all tests; needs Go and nothing else
	$(GO) test ./...

race: ## run all tests under the race detector (needs a C compiler)
	$(GO) test -race ./...

lint: $(LINT) ## run the pinned golangci-lint
	$(LINT) run --allow-serial-runners ./...

$(LINT):
	GOBIN=$(PREFIX_BIN)/tmp $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv $(PREFIX_BIN)/tmp/golangci-lint $@ && rmdir $(PREFIX_BIN)/tmp

fuzz: ## run every fuzz target for FUZZTIME (default 5s), one after the other
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' .ci/fuzz

bench: ## run the benchmarks; the second run is compared with the first (COUNT=10 for figures to trust)
	@GO='$(GO)' BENCHSTAT='$(BENCHSTAT)' COUNT='$(or $(COUNT),1)' .ci/bench

smoke: ## run libdns' own tests against our implementations (a module of its own)
	cd provider/providertest/smoke && $(GO) mod tidy -diff && $(GO) test ./...

test-servers: ## run the tests that need real DNS servers
	@GO='$(GO)' .ci/test-servers

check: fmt-check layers tidy-check generated lint ## everything a machine can say about the code without running it
	$(GO) vet ./...

fmt-check: # gofmt would change nothing
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt -w is needed for:"; echo "$$unformatted"; exit 1; }

layers: # imports point down only
	$(GO) test ./cmd/maildns -run '^TestLayers' -count=1

tidy-check: # go.mod and go.sum say what the code needs
	$(GO) mod tidy -diff
	$(GO) mod verify

generated: # what is generated is up to date
	@before=$$(git status --porcelain; git diff | cksum); $(GO) generate ./... || exit 1; \
	after=$$(git status --porcelain; git diff | cksum); \
	test "$$before" = "$$after" || { echo "go generate changed files; commit them:"; git status --short; exit 1; }

install: ## install maildns where Go installs programs
	$(GO) install -trimpath ./cmd/maildns
