"""A user limited to one branch acts on that branch only, whatever role they hold."""

import pytest
from django.test import Client

from rooftree.org.models import User
from rooftree.routing.permissions import (
    COMPANY_OR_BRANCH_ROLES,
    COMPANY_PERMISSIONS,
    ROLES_BY_PERMISSION,
    has_permission,
)
from tests import make

pytestmark = pytest.mark.django_db

# Pages and writes of the whole company: (role that has them, address, what is posted).
ATTACKS = [
    ("administrator", "/setup/people/{self}/", {"branch": "", "role": "administrator"}),
    ("administrator", "/setup/people/", {"name": "New", "role": "executive", "branch": ""}),
    ("administrator", "/setup/sending/", {"act": "pause", "reason": "x"}),
    ("compliance", "/compliance/evidence/", {"phone": "8135550142"}),
    ("marketing", "/setup/sources/", None),
    ("marketing", "/setup/imports/", None),
    ("administrator", "/setup/api-keys/", {"user": "{self}"}),
]


def test_company_wide_acts_need_a_company_wide_user(cast):
    for role in COMPANY_OR_BRANCH_ROLES:
        bound, whole = make.user(role, branch=cast.tampa), make.user(role)
        for verb in COMPANY_PERMISSIONS:
            assert not has_permission(bound, verb), (role, verb)
            assert has_permission(whole, verb) == (role in ROLES_BY_PERMISSION[verb])


def test_branch_bound_staff_reach_no_company_wide_page(cast):
    for role, address, typed in ATTACKS:
        bound = make.user(role, branch=cast.tampa)
        browser = Client()
        browser.force_login(bound)
        url = address.replace("{self}", str(bound.pk))
        data = {key: value.replace("{self}", str(bound.pk)) for key, value in (typed or {}).items()}
        answer = browser.get(url) if typed is None else browser.post(url, data)
        assert answer.status_code == 403, (role, url, answer.status_code)
        assert User.objects.get(pk=bound.pk).branch_id == cast.tampa.pk
