"""What a source may bring and what is expected of it; those that exist already are launched."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


LAUNCH = "update source set launched_at = created_at where launched_at is null"
# A form's address is its name; a token beside it had every post to it turned away.
NO_TOKENS = "update source set token = '', token_hash = '' where adapter = 'website_form'"


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0021_same_human'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='price_cents',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='source',
            name='launched_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='Baseline',
            fields=[
                ('source', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='baseline', serialize=False, to='rooftree.source')),
                ('per_week', models.PositiveIntegerField(null=True)),
                ('contactable_pct', models.PositiveSmallIntegerField(null=True)),
                ('price_cents', models.PositiveIntegerField(null=True)),
                ('exclusive', models.CharField(blank=True, max_length=12)),
                ('contact', models.CharField(blank=True, max_length=200)),
                ('waived', models.JSONField(default=dict)),
                ('last_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(null=True)),
                ('silent_at', models.DateTimeField(null=True)),
                ('drifted_at', models.DateTimeField(null=True)),
                ('watcher', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'baseline',
                'constraints': [models.CheckConstraint(condition=models.Q(('contactable_pct__lte', 100)), name='baseline_is_a_share')],
            },
        ),
        migrations.RunSQL([LAUNCH, NO_TOKENS], migrations.RunSQL.noop),
    ]
