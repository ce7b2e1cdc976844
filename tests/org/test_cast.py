import pytest

from tests import cast, make


@pytest.mark.django_db
def test_whole_cast_can_be_created_together():
    actors = cast.gather()

    assert actors.ben.person.name == "Ben Ortiz"
    assert sorted(actors.dana.licenses.values_list("state", flat=True)) == ["CA", "FL"]
    assert make.touch(actors.ben).is_first
    assert not make.touch(actors.ben).is_first
    assert make.assistant(actors.dana).assists.get().officer == actors.dana
