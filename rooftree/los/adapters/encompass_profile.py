"""How an Encompass connection is set up."""

from rooftree.los.los_adapter import CustomFields, LosProfile, Section, SettingField, Updates

PROFILE = LosProfile(
    key="encompass",
    label="ICE Encompass",
    updates=Updates.SUBSCRIPTION,
    test_instance_prefix="TE",
    officer_login="User name",
    custom_fields=CustomFields(
        pattern=r"CX\.[A-Z0-9_.]{1,60}",
        example="CX.LEADSOURCE",
        name_key="fieldName",
        value_key="stringValue",
    ),
    revenue_pattern=r"[A-Z0-9][A-Z0-9_.#]{0,59}",
    revenue_example="454 or CX.ORIGFEE",
    unverified=(
        "The name of the officer parameter",
        "The status and body of a locked loan",
        "The life of a token",
    ),
    limits=("5 requests at once, of the lender’s 30",),
    fields=(
        SettingField(
            key="name", label="Name", hint="Staff see this name", is_required=True,
            max_length=120, initial="Encompass",
        ),
        SettingField(
            key="instance", label="Instance", hint="For example BE11200000; TEBE… for tests",
            is_required=True, max_length=60,
            problem="Enter the instance, such as BE11200000 or TEBE11200000.",
        ),
        SettingField(
            key="base_url", label="API address", hint="For example https://api.elliemae.com",
            is_required=True,
        ),
        SettingField(
            key="folder", label="Loan folder", hint="For new loans", section=Section.LOANS,
            max_length=120,
        ),
        SettingField(
            key="template", label="Loan template", hint="Its path in Encompass",
            section=Section.LOANS,
        ),
        SettingField(
            key="template_type", label="Template type", section=Section.LOANS, max_length=60
        ),
        SettingField(
            key="lead_id_field", label="Field for the lead ID", section=Section.LOANS,
            hint="A custom field used for nothing else", is_required=True, max_length=60,
            initial="CX.ROOFTREELEADID",
        ),
        SettingField(
            key="client_id", label="API client ID", section=Section.CREDENTIALS,
            is_required=True,
        ),
        SettingField(
            key="client_secret", label="API client secret", section=Section.CREDENTIALS,
            is_required=True, is_secret=True,
        ),
        SettingField(
            key="user", label="API user", section=Section.CREDENTIALS, is_required=True,
            max_length=120,
        ),
        SettingField(
            key="password", label="Password", section=Section.CREDENTIALS, is_required=True,
            is_secret=True,
        ),
    ),
)  # fmt: skip
