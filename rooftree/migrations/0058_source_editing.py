"""The privacy page of the form; and no message is opened, as nothing ever recorded it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0057_money_in"),
    ]

    operations = [
        migrations.RemoveField(model_name="message", name="opened_at"),
        migrations.AddField(
            model_name="company",
            name="privacy_url",
            field=models.URLField(blank=True, db_default="", default=""),
        ),
    ]
