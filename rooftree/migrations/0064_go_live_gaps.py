"""Email can go out by Mailgun in its EU region."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0063_several_roles'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='mailsetup',
            name='mail_setup_service_known',
        ),
        migrations.AddConstraint(
            model_name='mailsetup',
            constraint=models.CheckConstraint(condition=models.Q(('service__in', ['', 'smtp', 'postmark', 'sendgrid', 'mailgun', 'mailgun_eu'])), name='mail_setup_service_known'),
        ),
    ]
