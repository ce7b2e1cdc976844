"""How a call to somebody else's system can fail: four kinds, and what each asks of us."""


class Failure(Exception):
    """A vendor did not do what we asked. The text is fit to show to staff."""


class Refused(Failure):
    """The vendor said no for good; a person must look.

    `code` is the vendor's own error code and `fields` the names it complained
    about, where it gave them.
    """

    def __init__(self, text: str, *, code: str = "", fields: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.fields = fields


class Misconfigured(Failure):
    """A setting is wrong; trying again will not help until a person edits it."""


class TryLater(Failure):
    """Nothing was carried out and it is safe to ask again.

    `after` is the number of seconds the vendor asked us to wait, or None when
    it did not say.
    """

    def __init__(self, text: str, *, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


class Uncertain(Failure):
    """The request may have been carried out; never repeat it before looking it up."""
