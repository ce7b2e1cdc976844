"""What somebody asks for and cannot have, in words for them."""


class UserError(Exception):
    """It cannot be so. The text says what to change and is fit to show.

    `field` is the one of a form that it is about; "" is none of them alone.
    """

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class InvalidField(UserError):
    """The same where it is mostly about one field, which is named first."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text, field)
