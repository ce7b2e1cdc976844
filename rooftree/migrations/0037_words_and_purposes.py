"""Which of a state's licenses we hold, how each message ended, why a source may give credit data."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0036_number_checks'),
    ]

    operations = [
        migrations.AddField(
            model_name='companylicense',
            name='license',
            field=models.CharField(blank=True, db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='message',
            name='ending',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
        migrations.AddField(
            model_name='sourceterms',
            name='report_purpose',
            field=models.CharField(blank=True, db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='sourceterms',
            name='report_words',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
    ]
