import pytest

from rooftree.routing import rule_names
from rooftree.routing.routing_rules import Criteria, Pool, Rule
from rooftree.routing.rule_sentences import rule_sentence


@pytest.mark.django_db
def test_rule_sentence_uses_current_names(cast):
    rule = Rule(
        name="Tampa",
        criteria=Criteria(sources=("zillow",)),
        pool=Pool(branches=(str(cast.tampa.pk),), officers=(str(cast.sam.pk),)),
    )

    sentence = rule_sentence(rule, rule_names.load_rule_names())

    assert sentence.startswith("A Zillow lead goes to the Tampa team and Sam Rivera, round robin")
    assert "Ruth Adler is notified" in sentence
