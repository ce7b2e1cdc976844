import pytest

from rooftree.los.handoff_record import MalformedHandoff
from rooftree.los.los_codes import MAPPED_FIELDS, load_code_table
from rooftree.los.los_payload import build_payload
from tests.los import make


def encompass(**changes):
    return build_payload(make.handoff(**changes), "encompass")


def at(made, path: str):
    here = made.body
    for step in path.split("."):
        here = here[int(step)] if step.isdigit() else here.get(step, {})
    return here or None


def needs(made) -> list[str]:
    return [str(need) for need in made.needs]


def test_the_encompass_sample_is_made_exactly():
    made = encompass()

    assert made.body == make.sample("encompass_create_loan.json")
    assert made.query == {
        "loanFolder": "Prospects",
        "view": "id",
        "loId": "lofficer",
        "templateType": "TemplateSet",
        "templatePath": "Public:\\Companywide\\Lead",
    }
    assert made.needs == ()


def test_a_cash_out_refinance_says_so():
    made = encompass(name="refi_cashout")

    assert at(made, "property.loanPurposeType") == "Cash-Out Refinance"
    assert at(made, "mortgageType") == "VA"
    assert at(made, "purchasePriceAmount") is None


@pytest.mark.parametrize(
    "path", ["connection__folder", "connection__instance", "officer__los_user"]
)
def test_without_what_encompass_insists_on_nothing_may_be_sent(path):
    made = encompass(**{path: None})

    assert [need.path for need in made.missing] == [path.replace("__", ".")]


def test_a_purpose_that_is_not_settled_is_left_out_and_asked_for():
    made = encompass(canonical__loan__purpose="refinance")

    assert at(made, "property.loanPurposeType") is None
    assert needs(made) == ["19: needs canonical.loan.purpose"]
    assert made.missing == ()


def test_a_heloc_keeps_its_type_and_takes_the_purpose_the_officer_says():
    asked = encompass(canonical__loan__purpose="heloc", answers__lien_position=None)
    said = encompass(
        canonical__loan__purpose="heloc",
        answers__los_purpose="refinance_cash_out",
        answers__lien_position="second",
    )

    assert needs(asked) == ["19: needs answers.los_purpose", "19: needs answers.lien_position"]
    assert at(asked, "mortgageType") == "HELOC"
    assert (at(said, "mortgageType"), at(said, "property.loanPurposeType")) == (
        "HELOC",
        "Cash-Out Refinance",
    )
    assert at(said, "loanProductData.lienPriorityType") == "SecondLien"
    assert needs(said) == []


def test_a_jumbo_takes_the_type_the_officer_says():
    assert needs(encompass(canonical__loan__type="jumbo")) == ["1172: needs answers.mortgage_type"]
    said = encompass(canonical__loan__type="jumbo", answers__mortgage_type="va")
    assert (at(said, "mortgageType"), needs(said)) == ("VA", [])


@pytest.mark.parametrize(
    ("kind", "answers", "theirs"),
    [
        ("townhouse", {}, None),
        ("townhouse", {"project_structure": "pud"}, "PUD"),
        ("townhouse", {"project_structure": "none"}, "Attached"),
        ("condo", {}, "Condominium"),
        ("condo", {"attachment": "detached"}, "DetachedCondo"),
        ("condo", {"attachment": "attached"}, "Condominium"),
        ("modular", {}, None),
        ("modular", {"attachment": "detached"}, "Detached"),
    ],
)
def test_a_property_type_needs_what_the_lead_does_not_say(kind, answers, theirs):
    said = {f"answers__{name}": value for name, value in answers.items()}
    made = encompass(canonical__property__type=kind, **said)

    assert at(made, "loanProductData.gsePropertyType") == theirs
    assert bool(made.needs) is (theirs is None)


def test_the_other_borrower_is_sent_only_when_both_said_they_apply_together():
    other = {"first_name": "Luis", "last_name": "Sample", "emails": []}

    alone = encompass(canonical__co_borrower=other)
    together = encompass(canonical__co_borrower=other, answers__joint_intent=True)

    assert "coborrower" not in at(alone, "applications.0")
    assert at(together, "applications.0.coborrower") == {
        "firstName": "Luis",
        "lastName": "Sample",
    }


def test_a_number_that_is_not_american_is_left_out_and_asked_about():
    phone = {"e164": "+34911234567", "type": "mobile", "is_primary": True}
    made = encompass(canonical__phones=[phone])

    assert "mobilePhone" not in at(made, "applications.0.borrower")
    assert needs(made) == ["1490: needs canonical.phones[type=mobile].e164"]


def test_cents_that_are_not_whole_dollars_keep_their_cents():
    made = encompass(canonical__loan__amount_cents=40000055)

    assert made.body["borrowerRequestedLoanAmount"] == 400000.55


def test_what_must_not_travel_does_not():
    made = encompass(
        canonical__message="my ssn is 900-12-3456",
        canonical__extras={"ssn": "900-12-3456", "birthDate": "1980-01-01"},
    )

    assert "900-12" not in str(made)
    assert "1980" not in str(made)


def test_a_handoff_for_another_los_is_malformed():
    with pytest.raises(MalformedHandoff):
        build_payload(make.handoff("byte"), "encompass")


def test_a_word_that_is_not_ours_is_malformed():
    with pytest.raises(MalformedHandoff, match="houseboat"):
        encompass(canonical__property__type="houseboat")


def test_the_lender_may_add_fields_of_its_own():
    changes = {"field": [{"to": "customFields[1].fieldName", "from": "connection.lead_id_field"}]}
    made = build_payload(make.handoff(), "encompass", changes)

    assert len(made.body["customFields"]) == 2


WORDS = [
    (enum, word)
    for enum in MAPPED_FIELDS
    for word in load_code_table()[enum]
    if " + " not in word and word != "(absent)" and enum != "military"
]


@pytest.mark.parametrize(("enum", "word"), WORDS, ids=[f"{e}={w}" for e, w in WORDS])
def test_every_word_of_ours_is_sent_or_asked_about_and_never_guessed(enum, word):
    path = f"canonical__{enum.replace('.', '__')}"
    made = encompass(**{path: word})

    cell = load_code_table()[enum][word]["encompass"]
    asked = {need.path for need in made.needs}
    wanted = {path for path in cell.get("needs", ()) if path != "answers.lien_position"}
    assert wanted <= asked  # lien_position is answered in the sample
