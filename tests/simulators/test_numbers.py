"""DNCScrub's simulator, against the exchanges of docs.dncscrub.com."""

import json
from datetime import date

import httpx2
import pytest

from rooftree_simulators.numbers import dncscrub
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.vendor_base import SimulatorSetup
from rooftree_simulators.vendor_server import HttpListener

SCRUB, QUERY = "/app/main/rpc/scrub", "/v1.5/Data/RNDBasic"
FIELDS = {  # of "Scrub multiple numbers"
    *("Phone", "ResultCode", "Reserved", "Reason", "RegionAbbrev", "Country", "Locale"),
    *("CarrierInfo", "NewReassignedAreaCode", "TZCode", "CallingWindow", "UTCOffset"),
    *("DoNotCallToday", "CallingTimeRestrictions", "EBRType", "IsWirelessOrVoIP", "LineType"),
}


@pytest.fixture
def vendor():
    setup = SimulatorSetup(clock=SimulatedClock(speed=0))
    dnc_scrub = dncscrub.DncScrub(setup)
    dnc_scrub.url = (listener := HttpListener(dnc_scrub, 0)).url
    yield dnc_scrub
    listener.stop()
    setup.clock.stop()


def post(vendor, path: str, body, key: str = dncscrub.LOGIN_ID) -> httpx2.Response:
    headers = {"loginId": key, "Content-Type": "application/json"}
    return httpx2.post(f"{vendor.url}{path}", content=json.dumps(body), headers=headers)


def scrub(vendor, *numbers: str, **options: str) -> httpx2.Response:
    body = {"phoneList": ",".join(numbers), "version": "5", "output": "json", **options}
    return post(vendor, SCRUB, body)


def test_scrub_answers_numbers_in_order_with_all_documented_fields(vendor):
    vendor.results["7075276405"] = ("D", "National (USA) 2003-06-01;;;")

    rows = scrub(vendor, "5039367187", "7075276405|ACCT-12345").json()

    assert [set(row) for row in rows] == [FIELDS, FIELDS]
    assert [(row["Phone"], row["ResultCode"], row["Reserved"]) for row in rows] == [
        ("5039367187", "C", ""),
        ("7075276405", "D", "ACCT-12345"),
    ]


def test_one_invalid_number_fails_whole_scrub(vendor):
    assert scrub(vendor, "5039367187", "503").status_code == 400
    assert scrub(vendor, *["5039367187"] * 10_001).status_code == 400


@pytest.mark.parametrize("options", [{"version": "4"}, {"output": "csv"}, {"unheard": "of"}])
def test_scrub_refuses_unknown_parameters(vendor, options):
    assert scrub(vendor, "5039367187", **options).status_code == 400


def test_reassigned_query_answers_true_false_or_null_with_safe_harbor(vendor):
    vendor.disconnected["7075276405"] = date(2022, 5, 1)
    query = {
        "data": [
            {"phoneNumber": "5039367187", "date": "20211014"},
            {"phoneNumber": "7075276405", "date": "2021-11-22"},
            {"phoneNumber": "7075276405", "date": "05/02/2022"},
            {"phoneNumber": "5039367187", "date": "01/26/21"},
        ]
    }

    rows = post(vendor, QUERY, query).json()

    assert [(row["IsReassigned"], row["HasSafeHarbor"]) for row in rows] == [
        (False, True), (True, False), (False, True), (None, False),
    ]  # fmt: skip
    assert set(rows[0]) == {"PhoneNumber", "IsReassigned", "HasSafeHarbor", "IsSandBox"}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"data": []}, {"data": [{"phoneNumber": "5039367187", "date": "soon"}]},
        {"data": [{"phoneNumber": "5039367187", "date": "20211014"}] * 1001},
    ],
)  # fmt: skip
def test_invalid_reassigned_query_is_refused(vendor, body):
    assert post(vendor, QUERY, body).status_code == 400


def test_wrong_login_id_is_refused(vendor):
    assert post(vendor, QUERY, {}, key="another").status_code == 401
