"""Errors for requests that a user can correct, with text to show them."""


class UserError(Exception):
    """A request cannot be carried out as given. The text says what to change and is fit to show.

    `field` is the form field that the error is about; "" means no single field.
    """

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class InvalidField(UserError):
    """A `UserError` about one field, which is the first argument."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text, field)
