"""App codes and recovery codes: each works once, for its owner only."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection

from rooftree.ledger.models import Event
from rooftree.org import second_factor
from rooftree.org.models import StaffSession
from rooftree.org.second_factor import Factor, InvalidCode
from tests import make

HALF_MINUTE = timedelta(seconds=30)


RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


def code_at(secret, at):
    return make.app_code(secret, int(at.timestamp()) // 30)


@pytest.fixture
def dana(cast):
    return cast.dana.user


@pytest.fixture
def secret(dana):
    app_secret = second_factor.generate_app_secret()
    second_factor.enroll_app(
        user=dana, secret=app_secret, code=code_at(app_secret, make.NOON), at=make.NOON
    )
    return app_secret


def test_app_is_enrolled_only_with_a_correct_code(dana):
    secret = second_factor.generate_app_secret()

    with pytest.raises(InvalidCode):
        second_factor.enroll_app(user=dana, secret=secret, code="000000x", at=make.NOON)

    assert not second_factor.is_required_for(dana)


@pytest.mark.parametrize(
    ("seconds", "code"),  # RFC 6238 appendix B, the last six digits
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_app_codes_are_those_of_the_standard(dana, seconds, code):
    at = datetime.fromtimestamp(seconds, UTC)

    second_factor.enroll_app(user=dana, secret=RFC_SECRET, code=code, at=at)

    assert second_factor.enrolled_factors(dana).app is not None


@pytest.mark.parametrize("code", ["", " ", "½", "１２３４５６", "\ud83d", "0" * 5000])
def test_odd_code_does_not_match(dana, secret, code):
    assert second_factor.verify_code(user=dana, code=code, at=make.NOON + HALF_MINUTE) is None


def test_app_secret_is_stored_encrypted(dana, secret):
    assert secret not in str(Authenticator.objects.get(user=dana, type="totp").data)


def test_app_code_works_once_and_voids_older_codes(dana, secret):
    at = make.NOON + 4 * HALF_MINUTE

    assert second_factor.verify_code(user=dana, code=code_at(secret, at), at=at) is Factor.APP
    assert second_factor.verify_code(user=dana, code=code_at(secret, at), at=at) is None
    older = code_at(secret, at - HALF_MINUTE)
    assert second_factor.verify_code(user=dana, code=older, at=at) is None


@pytest.mark.parametrize(
    ("steps", "is_valid"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_app_code_can_be_half_a_minute_off(dana, secret, steps, is_valid):
    at = make.NOON + 10 * HALF_MINUTE

    factor = second_factor.verify_code(
        user=dana, code=code_at(secret, at + steps * HALF_MINUTE), at=at
    )

    assert (factor is Factor.APP) is is_valid


def test_enrollment_code_does_not_sign_in(dana, secret):
    code = code_at(secret, make.NOON)

    assert second_factor.verify_code(user=dana, code=code, at=make.NOON) is None


def test_recovery_code_works_once_with_or_without_spaces(dana, secret):
    first, second, *_ = second_factor.replace_recovery_codes(user=dana, at=make.NOON)

    spaced = f"{first[:4]} {first[4:]}"
    assert second_factor.verify_code(user=dana, code=spaced, at=make.NOON) is Factor.RECOVERY_CODE
    assert second_factor.verify_code(user=dana, code=first, at=make.NOON) is None
    assert second_factor.enrolled_factors(dana).codes_left == 9
    assert second_factor.verify_code(user=dana, code=second, at=make.NOON) is Factor.RECOVERY_CODE


def test_new_recovery_codes_void_the_old_ones(dana, secret):
    old = second_factor.replace_recovery_codes(user=dana, at=make.NOON)
    new = second_factor.replace_recovery_codes(user=dana, at=make.NOON)

    assert not set(old) & set(new)
    assert second_factor.verify_code(user=dana, code=old[0], at=make.NOON) is None


def test_code_of_another_user_does_not_match(cast, dana, secret):
    at = make.NOON + 4 * HALF_MINUTE

    assert second_factor.verify_code(user=cast.sam.user, code=code_at(secret, at), at=at) is None


def test_removing_the_last_factor_voids_recovery_codes(dana, secret):
    row = Authenticator.objects.get(user=dana, type="totp")

    second_factor.remove_factor(user=dana, row=row, at=make.NOON)

    assert not Authenticator.objects.filter(user=dana).exists()
    assert Event.objects.filter(kind="org.user.factor_removed").count() == 1


def test_administrator_reset_removes_factors_and_ends_sessions(cast, dana, secret, client):
    client.force_login(dana)
    assert StaffSession.objects.filter(user=dana).exists()

    second_factor.reset_factors(user=dana, by=cast.omar, at=make.NOON)

    assert not Authenticator.objects.filter(user=dana).exists()
    assert not StaffSession.objects.filter(user=dana).exists()


def test_concurrent_tries_of_one_code_succeed_once(committed):
    user = make.user("operations")
    secret = second_factor.generate_app_secret()
    second_factor.enroll_app(
        user=user, secret=secret, code=code_at(secret, make.NOON), at=make.NOON
    )
    at = make.NOON + 4 * HALF_MINUTE

    def attempt(_):
        try:
            return second_factor.verify_code(user=user, code=code_at(secret, at), at=at)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(8)))

    assert (results.count(Factor.APP), results.count(None)) == (1, 7)
