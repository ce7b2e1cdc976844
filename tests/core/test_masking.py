import json
import re
from urllib.parse import parse_qs, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.masking import SensitiveKind, mask_numbers, redact_numbers

SERIAL = st.integers(min_value=1, max_value=9999)
SSNS = st.builds(
    lambda area, group, serial, sep: f"{area:03}{sep}{group:02}{sep}{serial:04}",
    st.integers(min_value=1, max_value=999),
    st.integers(min_value=1, max_value=99),
    SERIAL,
    st.sampled_from(["-", " "]),
)
WORDS = st.text(st.sampled_from("abcdefg hijk,é😀"), max_size=30)


def card(prefix: str) -> str:
    """A sixteen-digit number that passes Luhn."""
    body = prefix.ljust(15, "0")
    doubled = [int(d) * (2 - at % 2) for at, d in enumerate(body)]
    return body + str(-sum(n // 10 + n % 10 for n in doubled) % 10)


@given(ssn=SSNS, before=WORDS, after=WORDS)
def test_social_security_number_in_json_is_masked(ssn, before, after):
    body = json.dumps({"id": "LC-1", "message": f"{before} {ssn} {after}"}).encode()

    masked = mask_numbers(body)

    assert ssn.encode() not in masked.body
    assert masked.kinds == {SensitiveKind.SSN}
    assert len(masked.body) == len(body)
    assert json.loads(masked.body)["id"] == "LC-1"
    assert mask_numbers(masked.body) == masked


@given(ssn=SSNS, before=WORDS)
def test_social_security_number_in_a_form_is_masked(ssn, before):
    body = f"message={quote(f'{before} {ssn}')}&phone=3035550142".encode()

    masked = mask_numbers(body)

    fields = parse_qs(masked.body.decode())
    assert not re.search(r"\d", fields["message"][0])
    assert fields["phone"] == ["3035550142"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('{"ssn":900123456,"zip":"80211"}', '{"ssn":999999999,"zip":"80211"}'),  # still JSON
        ('{"ssn": -900123456}', '{"ssn": -999999999}'),
        ("<SSN>900-12-3456</SSN>", "<SSN>***-**-****</SSN>"),
        ('<SSN val="900123456"/>', '<SSN val="*********"/>'),
        ("ssn=900-12-3456&zip=80211", "ssn=***-**-****&zip=80211"),
        ('{"m":"itin 900701234"}', '{"m":"itin *********"}'),
        ('{"m":"\\u0039\\u0030\\u0030-12-3456"}', '{"m":"***-**-****"}'),  # hidden by escapes
        ("<m>&#57;00-12-3456</m>", "<m>***-**-****</m>"),
        ("m=%39%30%30-12-3456", "m=***-**-****"),
        ('{"m":"pay 4111 1111 1111 1111."}', '{"m":"pay **** **** **** ****."}'),
        ('{"card":"4111111111111111"}', '{"card":"****************"}'),
        ("routing 021000021", "routing *********"),
        ('{"bankAccountNumber":"12345678901"}', '{"bankAccountNumber":"***********"}'),
    ],
)
def test_sensitive_number_is_masked_in_place(sent, kept):
    assert mask_numbers(sent.encode()).body.decode() == kept


@pytest.mark.parametrize(
    "sent",
    [
        '{"created":"2026-11-23T07:04:31-08:00","day":"11/23/2026"}',
        '{"phone":"3035550142","other":"+1 303-555-0142","third":"(303) 555-0142"}',
        '{"zip":"78751-4424","price":65.0,"loanAmount":436500}',
        '{"submission_id":"9b2c0d1e-7d55-4c2e-8a4f-0f6a3f5b1a01"}',
        '{"leadid":"8F14E45F-CEEA-167A-5A36-DEDD4BEA2543"}',
        '{"loanNumber":"LN-2026-11-0045","note":"loan number 123456789"}',
        '{"page_id":4111111111111111,"entry":{"id":"4111111111111111"}}',  # an id that looks a card
        "<TrackingNumber>90411278</TrackingNumber><ApplicantID>41990055</ApplicantID>",
        "<SSN/><MonthlyIncome/><AnnualIncome>96000</AnnualIncome>",
        '{"ssn":null,"vendor":"123456789"}',
    ],
)
def test_dates_phones_loan_numbers_and_ids_are_not_masked(sent):
    assert mask_numbers(sent.encode()).body.decode() == sent


@given(prefix=st.integers(min_value=400_000_000_000_000, max_value=499_999_999_999_999))
def test_card_number_is_masked(prefix):
    number = card(str(prefix))

    masked = mask_numbers(f'{{"message":"my card {number} thanks"}}'.encode())

    assert number.encode() not in masked.body
    assert masked.kinds == {SensitiveKind.CARD}


@given(body=st.binary(max_size=300))
def test_masking_twice_changes_nothing(body):
    masked = mask_numbers(body)

    assert mask_numbers(masked.body).body == masked.body


@given(
    at=st.datetimes(),
    phone=st.integers(min_value=2_000_000_000, max_value=9_999_999_999),
    amount=st.integers(min_value=0, max_value=50_000_000),
)
def test_usual_lead_fields_are_not_masked(at, phone, amount):
    body = json.dumps(
        {"at": at.isoformat(), "phone": str(phone), "loanAmount": amount, "id": f"LC-{amount}"}
    )

    assert mask_numbers(body.encode()).body.decode() == body


def test_redacted_text_names_the_kind_of_number():
    text = "my ssn is 900-45-6789, card 4111 1111 1111 1111"

    assert redact_numbers(text)[0] == "my ssn is [redacted ssn], card [redacted card]"


@pytest.mark.parametrize(
    "text",
    [
        "900/12/3456", "900 - 12 - 3456", "900.12.3456", "900\u201012\u20103456",
        "900\u200b-12-\u200b3456", "900\u00ad-12-3456", "\uff19\uff10\uff10-12-3456",
        "ssn 900/12/3456", "ssn=900_12_3456", "social is 9 0 0 1 2 3 4 5 6", "ss# 900123456",
        "SS number 900 123 456", "TIN: 90 0123456", "900123456 is my social",
        "4111/1111/1111/1111", "4111.1111.1111.1111", "4111 - 1111 - 1111 - 1111",
        "4111\u200b1111\u200b1111\u200b1111", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "card 4111_1111_1111_1111", "account # 12/345678/9", "routing 021.000.021",
    ],
)  # fmt: skip
def test_number_in_disguise_is_masked(text):
    bodies = [text, json.dumps({"m": text}), json.dumps({"m": text}, ensure_ascii=False)]
    bodies += [f"m={quote(text, safe='')}&a=1", f"m={quote(text)}"]

    masked = [mask_numbers(body.encode()) for body in bodies]

    assert not [result.body for result in masked if not result.kinds]
    assert redact_numbers(text)[1]
    fields = [json.loads(masked[1].body)["m"], parse_qs(masked[3].body.decode())["m"][0]]
    assert not [field for field in fields if re.search(r"\d{2}|\d \d", field)]


@pytest.mark.parametrize(
    "text",
    [
        "11/23/2026", "checking 11/23/2026", "savings 125000.50", "12/12/2026 3456",
        "call 303/555/0142 or 303 . 555 . 0142", "3.5.1.2", "loan number 123456789",
        "* * * * * * * * *",
    ],
)  # fmt: skip
def test_ordinary_number_is_not_redacted(text):
    assert redact_numbers(text) == (text, frozenset())


def test_masked_message_is_redacted_like_the_original():
    text = "my ssn is 900-45-6789, card 4111 1111 1111 1111, account no 12345678"

    assert redact_numbers(mask_numbers(text.encode()).body.decode()) == redact_numbers(text)
