"""The first 38 steps of the tables and the one that stands for them: both ways end alike.

That they make the same tables is tried in test_backup.py, where a database walks them.
"""

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from rooftree import migrations

SQUASHED = "0038_squashed"
EVERY = sorted(file.stem for file in Path(migrations.__file__).parent.glob("[0-9]*.py"))
OLD = [name for name in EVERY if name < SQUASHED]
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


def test_the_38_steps_and_the_one_leave_django_with_the_same_idea_of_the_tables():
    at_once, walked = MigrationLoader(None), MigrationLoader(None, replace_migrations=False)
    one = at_once.project_state([("rooftree", SQUASHED)])
    many = walked.project_state([("rooftree", OLD[-1])])

    assert len(many.models) > 100
    assert MigrationAutodetector(one, many).changes(graph=at_once.graph) == {}


def test_the_one_step_stands_for_each_of_the_old_ones():
    assert len(OLD) == 38
    replaced = MigrationLoader(None).replacements["rooftree", SQUASHED].replaces
    assert replaced == [("rooftree", name) for name in OLD]


@pytest.fixture
def with_a_next_step(tmp_path, settings, monkeypatch):
    """As it will be when somebody adds a step: it depends on the newest, by its name."""
    package = tmp_path / "steps_to_come"
    package.mkdir()
    (package / "__init__.py").write_text(ALL_STEPS)
    (package / "9999_next.py").write_text(NEXT)
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"rooftree": package.name}


def plan():
    """The steps of ours that a database takes, with what it notes of itself."""
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    assert executor.loader.detect_conflicts() == {}
    steps = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [step.name for step, _ in steps if step.app_label == "rooftree"]


def note(names):
    MigrationRecorder.Migration.objects.filter(app="rooftree").delete()
    for name in names:
        MigrationRecorder(connection).record_applied("rooftree", name)


def test_a_new_database_takes_the_one_step_and_then_the_next(db, with_a_next_step):
    MigrationRecorder.Migration.objects.all().delete()

    assert plan() == [SQUASHED, *COME]


def test_a_database_at_any_of_the_old_steps_goes_on_with_those_it_lacks(db, with_a_next_step):
    for done in range(1, len(OLD)):
        note(OLD[:done])
        assert plan() == [*OLD[done:], *COME], OLD[done - 1]


def test_a_database_with_all_the_old_steps_takes_the_next_alone(db, with_a_next_step):
    note(OLD)
    assert plan() == COME

    note([*OLD, SQUASHED])
    assert plan() == COME
