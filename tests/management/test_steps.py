"""The squashed migrations and those that they replace lead to the same state.

test_backup.py checks that they create the same tables.
"""

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from rooftree import migrations

FIRST_SQUASHED = "0038_squashed"
SQUASHED = "0041_squashed"
EVERY = sorted(file.stem for file in Path(migrations.__file__).parent.glob("[0-9]*.py"))
OLD = [name for name in EVERY if name < SQUASHED and name != FIRST_SQUASHED]
OLDEST = [name for name in OLD if name < FIRST_SQUASHED]
SINCE = [name for name in EVERY if name > SQUASHED]
COME = [*SINCE, "9999_next"]
ALL_STEPS = """
from rooftree import migrations

__path__ = [*migrations.__path__, *__path__]
"""
NEXT = f"""
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("rooftree", "{EVERY[-1]}")]
"""


@pytest.mark.parametrize(("squashed", "last"), [(FIRST_SQUASHED, OLDEST[-1]), (SQUASHED, OLD[-1])])
def test_squashed_migration_leaves_the_same_state_as_the_old_ones(squashed, last):
    loader = MigrationLoader(None, replace_migrations=False)
    squashed_state = loader.project_state([("rooftree", squashed)])
    old_state = loader.project_state([("rooftree", last)])

    assert len(old_state.models) > 100
    changes = MigrationAutodetector(squashed_state, old_state).changes(graph=loader.graph)
    assert changes == {}


def test_squashed_migration_replaces_every_old_one():
    assert len(OLDEST) == 38
    replacements = MigrationLoader(None).replacements
    first, second = (replacements["rooftree", name] for name in (FIRST_SQUASHED, SQUASHED))
    assert first.replaces == [("rooftree", name) for name in OLDEST]
    since = [name for name in OLD if name > FIRST_SQUASHED]
    assert second.replaces == [("rooftree", name) for name in (FIRST_SQUASHED, *since)]


@pytest.fixture
def next_migration(tmp_path, settings, monkeypatch):
    """Add a future migration that depends on the newest one."""
    package = tmp_path / "steps_to_come"
    package.mkdir()
    (package / "__init__.py").write_text(ALL_STEPS)
    (package / "9999_next.py").write_text(NEXT)
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"rooftree": package.name}


def plan():
    """Return the Rooftree migrations that the database would run."""
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    assert executor.loader.detect_conflicts() == {}
    steps = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [step.name for step, _ in steps if step.app_label == "rooftree"]


def note(names):
    MigrationRecorder.Migration.objects.filter(app="rooftree").delete()
    for name in names:
        MigrationRecorder(connection).record_applied("rooftree", name)


def test_new_database_runs_the_squashed_migration_and_the_newer_ones(db, next_migration):
    MigrationRecorder.Migration.objects.all().delete()

    assert plan() == [SQUASHED, *COME]


def test_database_at_any_old_migration_runs_the_missing_ones(db, next_migration):
    for done in range(1, len(OLD)):
        note(OLD[:done])
        assert plan() == [*OLD[done:], *COME], OLD[done - 1]


def test_database_of_the_first_squashed_migration_runs_the_missing_ones(db, next_migration):
    for done in range(len(OLDEST), len(OLD)):
        note([*OLD[:done], FIRST_SQUASHED])
        assert plan() == [*OLD[done:], *COME], OLD[done - 1]


def test_database_with_all_old_migrations_runs_only_the_newer_ones(db, next_migration):
    note(OLD)
    assert plan() == COME

    note([*OLD, FIRST_SQUASHED, SQUASHED])
    assert plan() == COME
