import pytest

from rooftree.routing import rule_names
from rooftree.routing.routing_rules import Criteria, Pool, Rule
from rooftree.routing.rule_sentences import rule_sentence


@pytest.mark.django_db
def test_a_rule_is_said_with_the_names_people_know(cast):
    rule = Rule(
        name="Tampa",
        criteria=Criteria(sources=("zillow",)),
        pool=Pool(branches=(str(cast.tampa.pk),), officers=(str(cast.sam.pk),)),
    )

    said = rule_sentence(rule, rule_names.load_rule_names())

    assert said.startswith("A Zillow lead goes to the Tampa team and Sam Rivera, in turn")
    assert "Ruth Adler is called" in said
