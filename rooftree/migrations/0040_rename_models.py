"""Models get plain names; the tables keep theirs, so no row moves."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0039_recorded_calls'),
    ]

    operations = [
        migrations.RenameModel(
            old_name='Transfer',
            new_name='CrmImport',
        ),
        migrations.RenameModel(
            old_name='DncFound',
            new_name='DncFolderFile',
        ),
        migrations.RenameModel(
            old_name='Enrolment',
            new_name='Enrollment',
        ),
        migrations.RenameModel(
            old_name='ExportAsk',
            new_name='ExportRequest',
        ),
        migrations.RenameModel(
            old_name='FairReport',
            new_name='FairLendingReport',
        ),
        migrations.RenameModel(
            old_name='PastEntry',
            new_name='ImportedActivity',
        ),
        migrations.RenameModel(
            old_name='PlaceShare',
            new_name='MinorityShare',
        ),
        migrations.RenameModel(
            old_name='PlaceFile',
            new_name='MinorityShareFile',
        ),
        migrations.RenameModel(
            old_name='Permission',
            new_name='PartnerPermission',
        ),
        migrations.RenameModel(
            old_name='Likeness',
            new_name='PossibleDuplicate',
        ),
        migrations.RenameModel(
            old_name='Flood',
            new_name='RateLimitCount',
        ),
        migrations.RenameModel(
            old_name='Rejection',
            new_name='RejectionCount',
        ),
        migrations.RenameModel(
            old_name='Delta',
            new_name='RollupDelta',
        ),
    ]
