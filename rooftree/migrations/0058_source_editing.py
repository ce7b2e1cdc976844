"""No message is opened: nothing ever recorded it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("rooftree", "0057_money_in"),
    ]

    operations = [
        migrations.RemoveField(model_name="message", name="opened_at"),
    ]
