"""How a Calyx Point connection is set up: folders on a share, no network call."""

from rooftree.los.los_adapter import LosProfile, SettingField, Updates

COLUMN = r"[A-Za-z][A-Za-z0-9 _#./-]{0,39}"
FOLDER = r"/.+|[A-Za-z]:[\\/].+|\\\\.+"
FOLDER_PROBLEM = "Enter the whole path of a folder that this server can reach."

PROFILE = LosProfile(
    key="calyx",
    label="Calyx Point",
    updates=Updates.POLL,
    officer_login="Name in Point",
    is_officer_login_required=False,
    revenue_pattern=COLUMN,
    revenue_example="TotalCommission",
    unverified=(
        "which menu or service imports MISMO 3.4 files from a folder",
        "the columns of the status export",
        "the names of statuses, which every site can change",
    ),
    limits=("10 MB a status file", "the newest 200 status files a poll"),
    fields=(
        SettingField(
            key="name", label="Name", hint="Staff see this name", is_required=True,
            max_length=120, initial="Calyx Point",
        ),
        SettingField(
            key="instance", label="Site name", is_required=True, max_length=60,
            hint="Your own short name for this Point site",
        ),
        SettingField(
            key="folder", label="Data folder", is_required=True,
            hint="Where Point keeps new files, such as BORROWER (PDS)", initial="BORROWER",
        ),
        SettingField(
            key="drop_folder", label="Import folder", is_required=True, is_place=True,
            hint="New loans are written here as MISMO 3.4 files", pattern=FOLDER,
            problem=FOLDER_PROBLEM, max_length=400,
        ),
        SettingField(
            key="status_folder", label="Status folder", is_required=True, is_place=True,
            hint="Point’s report exports arrive here as CSV", pattern=FOLDER,
            problem=FOLDER_PROBLEM, max_length=400,
        ),
        SettingField(
            key="has_receipts", label="The importer leaves receipts", is_yes_no=True,
            choices=(("no", "No"), ("yes", "Yes")),
            hint="Yes: a loan counts as handed off when its receipt is in “done” beside the folder",
        ),
        SettingField(
            key="xsd_dir", label="Schema folder", is_place=True, pattern=FOLDER,
            problem=FOLDER_PROBLEM, max_length=400,
            hint="Optional: your copy of the MISMO 3.4 schema. Each file is checked against it",
        ),
    ),
)  # fmt: skip
