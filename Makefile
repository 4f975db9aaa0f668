# The front door. One build profile serves demo, tests and the library that is shipped, so that a clean clone compiles
# the C code once.

CARGO ?= cargo
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=

.PHONY: help build demo picture test check conformance docs lint soak fuzz deny bench bench-page bench-stores install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

build: ## the library, target/release/libkeystead.so
	$(CARGO) rustc --locked --release --lib --crate-type cdylib

demo: ## the whole story: keys that never leave one token in the clear work in another one
	$(CARGO) build --locked --release --bin keystead
	target/release/keystead demo

picture: ## record what the demo prints, docs/demo.svg; needs Python and PyPI
	$(CARGO) build --locked --release --bin keystead
	docs/record-demo

test: ## all tests; installs what they need where it may, else says what to install
	tests/install-tools
	$(MAKE) --no-print-directory build
	$(CARGO) test --locked --release
	$(CARGO) test --locked --release --package pkcs11-tests
	tests/conformance/run --if-possible codes

OURS = target/release/libkeystead.so
MODULE ?= $(OURS)
ONLY ?=
CHECK ?=

check: ## what a module answers, against the standard; MODULE=/path/of/another.so, ONLY=login, CHECK="--json"
	$(if $(filter $(OURS),$(MODULE)),$(MAKE) --no-print-directory build)
	$(CARGO) build --locked --release --package pkcs11-tests
	target/release/pkcs11-tests check $(MODULE) --only "$(ONLY)" $(CHECK)

conformance: ## pkcs11-check, an independent suite; minutes. Needs Python 3.12 or newer and PyPI
	$(CARGO) build --locked --release --bin keystead
	$(MAKE) --no-print-directory build
	tests/conformance/run quick
	tests/conformance/run codes

docs: ## write the pages of docs that come from the library's tables
	KEYSTEAD_WRITE_DOCS=1 $(CARGO) test --locked --release --test pages

lint: ## format and clippy, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --release --workspace --all-targets -- -D warnings

soak: ## the same tests with long counts, and with the order of locks asserted in the library too
	tests/install-tools
	$(CARGO) rustc --locked --release --lib --crate-type cdylib --features lock-order
	KEYSTEAD_SOAK=1 $(CARGO) test --locked --release --features lock-order
	KEYSTEAD_SOAK=1 $(CARGO) test --locked --release --package pkcs11-tests

SECONDS ?= 60

fuzz: ## random templates and mechanism parameters, SECONDS for each of the two
	fuzz/run $(SECONDS)

deny: ## licences and sources of what we build on; needs cargo-deny
	$(CARGO) deny --workspace --locked check licenses bans sources

PEER ?= /usr/lib/softhsm/libsofthsm2.so
BENCH ?=
BENCH_ALL = target/release/pkcs11-tests bench $(OURS) $(PEER) --bare

bench: ## time per operation against PEER (SoftHSM2; or several modules) and the bare primitive; ONLY=ecdsa, BENCH=--markdown
	$(MAKE) --no-print-directory build
	$(CARGO) build --locked --release --package pkcs11-tests
	$(BENCH_ALL) --only "$(ONLY)" $(BENCH)
	$(if $(ONLY),,$(MAKE) --no-print-directory bench-stores)

bench-page: ## write the figures and plots of docs/performance.md; a quarter of an hour, on a machine with nothing else to do
	$(MAKE) --no-print-directory build
	$(CARGO) build --locked --release --package pkcs11-tests
	$(BENCH_ALL) --page docs/performance.md $(BENCH)

SIZES ?= 0,10000,1000000

bench-stores: ## stores of SIZES objects: to start, to search, to write to; minutes, and some GiB for the largest
	$(MAKE) --no-print-directory build
	$(CARGO) build --locked --release --package pkcs11-tests
	target/release/pkcs11-tests stores --module $(OURS) --against $(firstword $(PEER)) --sizes $(SIZES) $(filter --json,$(BENCH))

install: ## library, header, command with manual pages and completions, p11-kit's module file; PREFIX, SYSCONFDIR and DESTDIR say where
	$(CARGO) build --locked --release --bin keystead
	$(MAKE) --no-print-directory build
	install -D -m 755 target/release/libkeystead.so $(DESTDIR)$(PREFIX)/lib/pkcs11/libkeystead.so
	install -D -m 755 target/release/keystead $(DESTDIR)$(PREFIX)/bin/keystead
	install -D -m 644 include/keystead.h $(DESTDIR)$(PREFIX)/include/keystead.h
	target/release/keystead man --dir $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions zsh/site-functions fish/vendor_completions.d)
	target/release/keystead completions bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/keystead
	target/release/keystead completions zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_keystead
	target/release/keystead completions fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/keystead.fish
	install -d $(DESTDIR)$(SYSCONFDIR)/pkcs11/modules
	echo "module: $(PREFIX)/lib/pkcs11/libkeystead.so" > $(DESTDIR)$(SYSCONFDIR)/pkcs11/modules/keystead.module

clean: ## removes what was built
	$(CARGO) clean
