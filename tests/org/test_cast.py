import pytest

from tests import cast, make


@pytest.mark.django_db
def test_everyone_of_the_cast_can_be_made_together():
    people = cast.gather()

    assert people.ben.person.name == "Ben Ortiz"
    assert sorted(people.dana.licenses.values_list("state", flat=True)) == ["CA", "FL"]
    assert make.touch(people.ben).is_first
    assert not make.touch(people.ben).is_first
    assert make.assistant(people.dana).assists.get().officer == people.dana
