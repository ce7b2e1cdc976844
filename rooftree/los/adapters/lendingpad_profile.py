"""How a LendingPad connection is set up."""

from rooftree.los.los_adapter import (
    GUID_PATTERN,
    CustomFields,
    LosProfile,
    Section,
    SettingField,
    Updates,
)

NOT_A_GUID = "Enter the ID as LendingPad gave it: 36 letters and digits with hyphens."

PROFILE = LosProfile(
    key="lendingpad",
    label="LendingPad",
    updates=Updates.PUSH,
    instance_means="company_id",
    officer_login="User ID",
    is_officer_login_required=False,
    custom_fields=CustomFields(
        pattern=GUID_PATTERN,
        example="1b7c4f2e-…, as LendingPad lists it",
        name_key="id",
        value_key="values",
        value_form="list",
    ),
    revenue_pattern=GUID_PATTERN,
    revenue_example="1b7c4f2e-…",
    exactly_one_of=("campaign_id", "branch_id"),
    unverified=(
        "whether a post that fails is sent again",
        "in which order the list of loans comes",
        "the source addresses of posts",
    ),
    limits=("3 requests at once", "25 loans a page, 1,000 loans a poll", "2 MB a post"),
    fields=(
        SettingField(
            key="name", label="Name", hint="Staff see this name", is_required=True,
            max_length=120, initial="LendingPad",
        ),
        SettingField(
            key="base_url", label="API address", is_required=True,
            hint="https://api.lendingpad.com; https://testapi.lendingpad.com for tests",
            initial="https://api.lendingpad.com",
        ),
        SettingField(
            key="instance", label="Company ID", hint="LendingPad gives it", is_required=True,
            max_length=36, pattern=GUID_PATTERN, problem=NOT_A_GUID,
        ),
        SettingField(
            key="contact_id", label="Contact ID", hint="LendingPad gives it", is_required=True,
            max_length=36, pattern=GUID_PATTERN, problem=NOT_A_GUID,
        ),
        SettingField(
            key="campaign_id", label="Campaign ID", section=Section.LOANS, max_length=36,
            hint="New loans arrive as leads. Leave empty if you enter a branch",
            pattern=GUID_PATTERN, problem=NOT_A_GUID,
        ),
        SettingField(
            key="branch_id", label="Branch ID", section=Section.LOANS, max_length=36,
            hint="New loans arrive as prospects", pattern=GUID_PATTERN, problem=NOT_A_GUID,
        ),
        SettingField(
            key="channel", label="Channel", section=Section.LOANS, max_length=2,
            hint="Its number, such as 5. Empty: LendingPad’s default", is_number=True,
        ),
        SettingField(
            key="lead_id_field", label="Field for the lead ID", section=Section.LOANS,
            hint="The ID of a custom field used for nothing else", max_length=36,
            pattern=GUID_PATTERN, problem=NOT_A_GUID,
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
