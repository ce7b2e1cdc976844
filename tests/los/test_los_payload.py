"""The create-loan request to Encompass."""

import pytest

from rooftree.los.handoff_record import MalformedHandoff
from rooftree.los.los_codes import MAPPED_FIELDS, load_code_table
from rooftree.los.los_payload import build_payload
from tests.los import make


def build_encompass(**changes):
    return build_payload(make.handoff(**changes), "encompass")


def value_at(payload, path: str):
    node = payload.body
    for step in path.split("."):
        node = node[int(step)] if step.isdigit() else node.get(step, {})
    return node or None


def list_needs(payload) -> list[str]:
    return [str(need) for need in payload.needs]


def test_encompass_request_matches_the_sample():
    payload = build_encompass()

    assert payload.body == make.sample("encompass_create_loan.json")
    assert payload.query == {
        "loanFolder": "Prospects",
        "view": "id",
        "loId": "lofficer",
        "templateType": "TemplateSet",
        "templatePath": "Public:\\Companywide\\Lead",
    }
    assert payload.needs == ()


def test_phones_of_unknown_type_get_the_free_fields_of_the_loan():
    phones = [
        {"e164": "+18135550142", "type": "mobile", "is_primary": True},
        {"e164": "+18135550143", "type": None, "is_primary": False},
        {"e164": "+18135550144", "type": "unknown", "is_primary": False},
        {"e164": "+18135550145", "type": "unknown", "is_primary": False},
    ]

    borrower = value_at(build_encompass(canonical__phones=phones), "applications.0.borrower")

    assert [borrower[name] for name in ("mobilePhone", "homePhoneNumber")] == [
        "813-555-0142", "813-555-0143",
    ]  # fmt: skip
    assert borrower["workPhoneNumber"] == "813-555-0144"


def test_cash_out_refinance_is_sent_as_cash_out():
    payload = build_encompass(name="refi_cashout")

    assert value_at(payload, "property.loanPurposeType") == "Cash-Out Refinance"
    assert value_at(payload, "mortgageType") == "VA"
    assert value_at(payload, "purchasePriceAmount") is None


@pytest.mark.parametrize(
    "path", ["connection__folder", "connection__instance", "officer__los_user"]
)
def test_missing_encompass_setting_blocks_the_request(path):
    payload = build_encompass(**{path: None})

    assert [need.path for need in payload.missing] == [path.replace("__", ".")]


def test_unsettled_purpose_is_left_out_and_requested():
    payload = build_encompass(canonical__loan__purpose="refinance")

    assert value_at(payload, "property.loanPurposeType") is None
    assert list_needs(payload) == ["19: needs canonical.loan.purpose"]
    assert payload.missing == ()


def test_heloc_keeps_its_type_and_takes_the_officers_purpose():
    unanswered = build_encompass(canonical__loan__purpose="heloc", answers__lien_position=None)
    answered = build_encompass(
        canonical__loan__purpose="heloc",
        answers__los_purpose="refinance_cash_out",
        answers__lien_position="second",
    )

    assert list_needs(unanswered) == [
        "19: needs answers.los_purpose",
        "19: needs answers.lien_position",
    ]
    assert value_at(unanswered, "mortgageType") == "HELOC"
    assert (value_at(answered, "mortgageType"), value_at(answered, "property.loanPurposeType")) == (
        "HELOC",
        "Cash-Out Refinance",
    )
    assert value_at(answered, "loanProductData.lienPriorityType") == "SecondLien"
    assert list_needs(answered) == []


def test_jumbo_loan_takes_the_officers_mortgage_type():
    assert list_needs(build_encompass(canonical__loan__type="jumbo")) == [
        "1172: needs answers.mortgage_type"
    ]
    answered = build_encompass(canonical__loan__type="jumbo", answers__mortgage_type="va")
    assert (value_at(answered, "mortgageType"), list_needs(answered)) == ("VA", [])


@pytest.mark.parametrize(
    ("kind", "answers", "expected"),
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
def test_property_type_combines_lead_and_officer_answers(kind, answers, expected):
    answer_changes = {f"answers__{name}": value for name, value in answers.items()}
    payload = build_encompass(canonical__property__type=kind, **answer_changes)

    assert value_at(payload, "loanProductData.gsePropertyType") == expected
    assert bool(payload.needs) is (expected is None)


def test_co_borrower_is_sent_only_with_joint_intent():
    co_borrower = {"first_name": "Luis", "last_name": "Sample", "emails": []}

    without_intent = build_encompass(canonical__co_borrower=co_borrower)
    with_intent = build_encompass(canonical__co_borrower=co_borrower, answers__joint_intent=True)

    assert "coborrower" not in value_at(without_intent, "applications.0")
    assert value_at(with_intent, "applications.0.coborrower") == {
        "firstName": "Luis",
        "lastName": "Sample",
    }


def test_foreign_phone_number_is_left_out_and_requested():
    phone = {"e164": "+34911234567", "type": "mobile", "is_primary": True}
    payload = build_encompass(canonical__phones=[phone])

    assert "mobilePhone" not in value_at(payload, "applications.0.borrower")
    assert list_needs(payload) == ["1490: needs canonical.phones[type=mobile].e164"]


def test_amount_keeps_its_cents():
    payload = build_encompass(canonical__loan__amount_cents=40000055)

    assert payload.body["borrowerRequestedLoanAmount"] == 400000.55


def test_free_text_and_unmapped_fields_are_never_sent():
    payload = build_encompass(
        canonical__message="my ssn is 900-12-3456",
        canonical__extras={"ssn": "900-12-3456", "birthDate": "1980-01-01"},
    )

    assert "900-12" not in str(payload)
    assert "1980" not in str(payload)


def test_handoff_for_another_los_is_refused():
    with pytest.raises(MalformedHandoff):
        build_payload(make.handoff("byte"), "encompass")


def test_unknown_property_type_is_refused():
    with pytest.raises(MalformedHandoff, match="houseboat"):
        build_encompass(canonical__property__type="houseboat")


def test_lender_can_add_fields():
    changes = {"field": [{"to": "customFields[1].fieldName", "from": "connection.lead_id_field"}]}
    payload = build_payload(make.handoff(), "encompass", changes)

    assert len(payload.body["customFields"]) == 2


WORDS = [
    (enum, word)
    for enum in MAPPED_FIELDS
    for word in load_code_table()[enum]
    if " + " not in word and word != "(absent)" and enum != "military"
]


@pytest.mark.parametrize(("enum", "word"), WORDS, ids=[f"{e}={w}" for e, w in WORDS])
def test_every_known_value_is_sent_or_requested(enum, word):
    path = f"canonical__{enum.replace('.', '__')}"
    payload = build_encompass(**{path: word})

    cell = load_code_table()[enum][word]["encompass"]
    requested = {need.path for need in payload.needs}
    required = {path for path in cell.get("needs", ()) if path != "answers.lien_position"}
    assert required <= requested  # lien_position is answered in the sample
