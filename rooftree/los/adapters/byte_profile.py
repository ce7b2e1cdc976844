"""How a Byte connection is set up."""

from rooftree.los.los_adapter import LosProfile, Section, SettingField, Updates

PLACE = r"[A-Za-z]\w*(\[\d\])?(\.[A-Za-z]\w*(\[\d\])?){1,5}"

PROFILE = LosProfile(
    key="byte",
    label="Byte",
    updates=Updates.POLL,
    officer_login="User name",
    revenue_pattern=PLACE,
    revenue_example="CustomFields.Field02",
    unverified=(
        "every call: Byte's interface is not public, this one follows an open connector",
        "how long a session lasts",
        "whether the lead ID's field exists in the loan file",
    ),
    limits=("2 requests at once", "a loan is read every 10 minutes, until 30 days after its end"),
    fields=(
        SettingField(
            key="name", label="Name", hint="Staff see this name", is_required=True,
            max_length=120, initial="Byte",
        ),
        SettingField(
            key="base_url", label="API address", is_required=True,
            hint="Your Byte server’s, with its path",
        ),
        SettingField(
            key="instance", label="Site name", is_required=True, max_length=60,
            hint="Your own short name for this Byte site",
        ),
        SettingField(
            key="organization_code", label="Organization code", section=Section.LOANS,
            is_required=True, max_length=60, hint="Byte’s code of the branch that gets new files",
        ),
        SettingField(
            key="template", label="Template ID", section=Section.LOANS, hint="Optional"
        ),
        SettingField(
            key="lead_id_field", label="Field for the lead ID", section=Section.LOANS,
            hint="A place in the loan file used for nothing else, such as CustomFields.Field01",
            pattern=PLACE, problem="Enter a place such as CustomFields.Field01.",
        ),
        SettingField(
            key="authorization_key", label="Authorization key", section=Section.CREDENTIALS,
            is_required=True, is_secret=True,
        ),
        SettingField(
            key="user", label="API user", section=Section.CREDENTIALS, is_required=True
        ),
        SettingField(
            key="password", label="API password", section=Section.CREDENTIALS,
            is_required=True, is_secret=True,
        ),
    ),
)  # fmt: skip
