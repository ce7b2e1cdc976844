import pytest

from rooftree.routing import names
from rooftree.routing.rule_words import sentence
from rooftree.routing.rules import Criteria, Pool, Rule


@pytest.mark.django_db
def test_a_rule_is_said_with_the_names_people_know(cast):
    rule = Rule(
        name="Tampa",
        criteria=Criteria(sources=("zillow",)),
        pool=Pool(branches=(str(cast.tampa.pk),), officers=(str(cast.sam.pk),)),
    )

    said = sentence(rule, names.now())

    assert said.startswith("A Zillow lead goes to the Tampa team and Sam Rivera, in turn")
    assert "Ruth Adler is called" in said
