# The two commands are `make run` and `make test`; the rest are their parts.
# Options for the started program go into ARGS, e.g. `make run ARGS="--port 0"`.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run build test check fmt audit bench docs

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, build, start the gateway
	@scripts/run.sh $(ARGS)

build: ## build the release binary
	@scripts/ensure.sh build
	cargo build --release --locked --package omniroute-cli --bin omniroute

test: ## everything: gates, unit, golden, laws, end to end, official SDKs
	@scripts/test.sh all

check: ## the gates only: format, lints, repository rules
	@scripts/test.sh gates

fmt: ## format the sources
	cargo fmt --all

audit: ## licences, banned and duplicate dependencies, sources
	@scripts/ensure.sh audit
	cargo deny --locked check licenses bans sources

bench: build ## the figures: ratios to a bare pass-through, measured in one run (ARGS=--quick: a minute)
	cargo run --release --locked --package omniroute-bench -- run $(ARGS)
	cargo bench --locked --package omniroute-wire --package omniroute-routing --package omniroute-store --bench '*' -- --quick --quiet --discard-baseline

docs: ## write the generated pages
	cargo xtask gen
