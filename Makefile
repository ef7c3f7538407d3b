# Needs Python 3.11 or later and make; everything else is put into .venv/ and .local/ by itself.
#
#   make demo     replay the 7pay case and serve console and portal (ACCOUNTS=20000 SEED=7 PORT=8000)
#   make replay   replay the case and judge it, without serving     (ACCOUNTS=20000 SEED=7)
#   make serve    serve console and portal, with worker and beat, on the data that is there
#   make tutorial run every block of docs/tutorial*.md in a new place
#   make test     run the tests                                     (ARGS="-k freeze")
#   make proof    run the long forms of the tests, docs/proof.md    (ARGS="--list", ARGS="properties")
#   make check    run what reads the code: style, types, layers, deployment
#   make bench    measure against peers and limits                  (ARGS=...)
#   make clean    stop the embedded servers and remove .venv/ and .local/ with all data in it

# Otherwise every process compiles seven hundred modules when it starts.
unexport PYTHONDONTWRITEBYTECODE
PORT ?= 8000
RUN := .venv/bin/python
# A changed list of requirements is a new stamp, so that it is installed before the next run.
FOR_RUNNING := .venv/installed-run-$(shell cat requirements.txt requirements-embedded.txt | cksum | cut -d' ' -f1)
FOR_TESTS := .venv/installed-dev-$(shell cat requirements*.txt | cksum | cut -d' ' -f1)
REHEARSAL_OPTIONS = $(if $(ACCOUNTS),--accounts $(ACCOUNTS)) $(if $(SEED),--seed $(SEED))
# Programs that only read the code must not start servers for it.
NO_SERVERS = DATABASE_URL=postgres://nobody@/nothing?host=/nonexistent REDIS_URL=redis://127.0.0.1:1/0
PRODUCTION = WINDDOWN_MODE=production WINDDOWN_ALLOWED_HOSTS=example.org \
	WINDDOWN_SITE_URL=https://example.org \
	WINDDOWN_EMAIL_URL=smtp://mail.example.org WINDDOWN_EMAIL_FROM=notices@example.org \
	WINDDOWN_SECRET_KEY=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(64))') \
	WINDDOWN_FIELD_KEY=$$($(RUN) -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')

.PHONY: help demo replay serve tutorial test proof check bench clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

demo: $(FOR_RUNNING)
	@$(RUN) manage.py demo $(REHEARSAL_OPTIONS) --port $(PORT)

replay: $(FOR_RUNNING)
	@$(RUN) manage.py replay $(REHEARSAL_OPTIONS)

serve: $(FOR_RUNNING)
	@WINDDOWN_DATABASE_ROLE= $(RUN) manage.py migrate --verbosity 0
	@WINDDOWN_DATABASE_ROLE= $(RUN) manage.py database_roles --for-login > /dev/null
	@$(RUN) -m config.serve --port $(PORT)

tutorial: $(FOR_RUNNING)
	@$(RUN) -m config.tutorial docs/tutorial.md
	@$(RUN) -m config.tutorial docs/tutorial-in-euro.md

# After a worker that died (a test past its time limit ends so) is replaced, pytest-xdist never comes to an end.
# The tests have servers of their own, which do not wait for the disk. Some tests wait for leases and
# programs, so three at once keep two cores busy.
test: $(FOR_TESTS)
	@WINDDOWN_LOCAL_DIR=$(CURDIR)/.local/tests WINDDOWN_THROWAWAY_DATA=1 \
	    $(RUN) -m pytest -n 3 --dist loadgroup --max-worker-restart 0 $(ARGS)

proof: $(FOR_TESTS)
	@$(RUN) -m proof $(ARGS)

check: $(FOR_TESTS)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(NO_SERVERS) $(RUN) -m mypy
	$(RUN) -m djlint --quiet --lint templates
	$(RUN) -c 'from importlinter.cli import lint_imports_command as lint; lint()' --cache-dir .local/cache/import-linter
	@echo "manage.py check --deploy"
	@$(NO_SERVERS) $(PRODUCTION) $(RUN) manage.py check --deploy --fail-level WARNING

bench: $(FOR_TESTS)
	@$(RUN) -m benchmarks $(ARGS)

clean:
	@if [ -d .local ]; then $$(command -v $(RUN) || echo python3) config/embedded remove; fi
	rm -rf .venv .local staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The virtual environment ---------------------------------------------------------------------

.venv/made:
	@python=; for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	    if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then \
	    echo "Python 3.11 or later is needed, and neither python3 nor python3.11 to python3.14 is one." >&2; exit 1; fi; \
	if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
	    echo "$$python cannot make virtual environments: install its venv module (Debian: apt install python3-venv)." >&2; exit 1; fi; \
	echo "Preparing .venv with $$($$python --version)"; \
	rm -rf .venv && $$python -m venv .venv && touch $@

$(FOR_RUNNING): .venv/made requirements.txt requirements-embedded.txt
	@echo "Installing what the service needs"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-embedded.txt
	@touch $@

$(FOR_TESTS): .venv/made requirements.txt requirements-embedded.txt requirements-dev.txt
	@echo "Installing what the tests need"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
