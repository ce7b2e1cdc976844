"""Add the first administrator, who adds everyone else in Setup."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import now

from rooftree.management import command_base
from rooftree.org import passwords, second_factor, staff_accounts
from rooftree.org.models import User


class Command(command_base.Command):
    """Adds an administrator, or prints a new link for an existing one."""

    help = "Add an administrator and print a link to choose a password."
    example = 'rooftree administrator ana@lender.example "Ana Ruiz"'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="work email, used to sign in")
        parser.add_argument("name", help="first and last name")
        parser.add_argument(
            "--phone-is-lost",
            action="store_true",
            help="remove the second factors and end the sessions",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email, at = options["email"].strip().lower(), now()
        user = User.objects.filter(email__iexact=email).first()
        if user and not user.has_role("administrator"):
            raise command_base.UsageError(
                f"{email} is already a {user.role_label.lower()}; add the role in Setup"
            )
        try:
            user = user or staff_accounts.add_user(
                email=email,
                name=options["name"],
                roles=["administrator"],
                branch=None,
                by=None,
                at=at,
            )
            if options["phone_is_lost"]:
                second_factor.reset_factors(user=user, by=user, at=at)
            user_token, token = passwords.create_reset_link(user, by=user, at=at)
        except staff_accounts.StaffChangeError as problem:
            raise command_base.UsageError(str(problem)) from problem
        link = reverse("set_password", args=[user_token, token])
        self.stdout.write(f"{settings.PUBLIC_URL}{link}")
        self.stderr.write("The link works once, within three days.")
