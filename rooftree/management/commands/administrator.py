"""`rooftree administrator`: the first one, who can then add everybody else in Set-up."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import now

from rooftree.management import command_base
from rooftree.org import passwords, second_factor, staff_accounts
from rooftree.org.models import User


class Command(command_base.Command):
    """Makes an administrator, or a new link for one who lost the first."""

    help = "Make an administrator and print the link by which they choose a password."
    example = 'rooftree administrator ana@lender.example "Ana Ruiz"'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="work e-mail: what they sign in with")
        parser.add_argument("name", help="first and last name")
        parser.add_argument(
            "--phone-is-lost",
            action="store_true",
            help="remove their second factors and end their sessions",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email, at = options["email"].strip().lower(), now()
        user = User.objects.filter(email__iexact=email).first()
        if user and user.role != "administrator":
            raise command_base.UsageError(
                f"{email} is already a {user.role_label.lower()}; use Set-up"
            )
        try:
            user = user or staff_accounts.add_user(
                email=email,
                name=options["name"],
                role="administrator",
                branch=None,
                by=None,
                at=at,
            )
            if options["phone_is_lost"]:
                second_factor.reset_factors(user=user, by=user, at=at)
            who, token = passwords.create_reset_link(user, by=user, at=at)
        except staff_accounts.StaffChangeError as problem:
            raise command_base.UsageError(str(problem)) from problem
        link = reverse("set_password", args=[who, token])
        self.stdout.write(f"{settings.PUBLIC_URL}{link}")
        self.stderr.write("The link works once, within three days.")
