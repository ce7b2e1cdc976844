"""Who may be the same human, second applicants, and what our own form showed and was told."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.conf import settings
from django.db import migrations, models


# An address as it is looked up; those of new rows are written by the product (capture.places).
KEY = r"""
update {table}
   set {key} = {zip} || ' ' || trim(regexp_replace(
           regexp_replace(lower({street}), '[^[:alnum:]]+', ' ', 'g'),
           '^ *(\d+\w*) (?:(?:n|s|e|w|ne|nw|se|sw|north|south|east|west) )?(\w+).*$', '\1 \2'))
 where {street} <> '' and {zip} <> ''
"""
HOMES = KEY.format(table="person", key="home_key", zip="zip", street="street")
PROPERTIES = KEY.format(
    table="lead", key="property_key", zip="property_zip", street="property_street"
)


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0020_spreadsheet_parts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Likeness',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('speaks_for', models.CharField(max_length=300)),
                ('against', models.CharField(blank=True, max_length=300)),
                ('number', models.CharField(blank=True, max_length=16)),
                ('found_at', models.DateTimeField()),
                ('answer', models.CharField(blank=True, max_length=5)),
                ('answered_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'likeness',
            },
        ),
        migrations.AddField(
            model_name='lead',
            name='co_borrower',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='co_leads', to='rooftree.person'),
        ),
        migrations.AddField(
            model_name='lead',
            name='property_key',
            field=models.CharField(blank=True, db_default='', max_length=220),
        ),
        migrations.AddField(
            model_name='person',
            name='compared_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='person',
            name='home_key',
            field=models.CharField(blank=True, db_default='', max_length=220),
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(condition=models.Q(('co_borrower__isnull', False)), fields=['co_borrower'], name='lead_by_co_borrower'),
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(condition=models.Q(('property_key', ''), _negated=True), fields=['property_key'], name='lead_by_property'),
        ),
        migrations.AddIndex(
            model_name='person',
            index=models.Index(condition=models.Q(('home_key', ''), _negated=True), fields=['home_key'], name='person_by_home'),
        ),
        migrations.AddIndex(
            model_name='person',
            index=models.Index(condition=models.Q(('compared_at', None)), fields=['created_at'], name='person_to_compare'),
        ),
        migrations.AddField(
            model_name='likeness',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='likeness',
            name='newer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.person'),
        ),
        migrations.AddField(
            model_name='likeness',
            name='older',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.person'),
        ),
        migrations.AddIndex(
            model_name='likeness',
            index=models.Index(condition=models.Q(('answer', '')), fields=['found_at'], name='likeness_open'),
        ),
        migrations.AddIndex(
            model_name='likeness',
            index=models.Index(condition=models.Q(('answer', ''), _negated=True), fields=['answered_at'], name='likeness_answered'),
        ),
        migrations.AddConstraint(
            model_name='likeness',
            constraint=models.UniqueConstraint(fields=('older', 'newer'), name='likeness_once_a_pair'),
        ),
        migrations.AddConstraint(
            model_name='likeness',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at', None)), models.Q(('answer__in', ['same', 'two', 'moved']), ('answered_at__isnull', False)), _connector='OR'), name='likeness_answer_known'),
        ),
        migrations.CreateModel(
            name='FormPage',
            fields=[
                ('sha256', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('html', models.TextField()),
                ('shown_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'form_page',
            },
        ),
        migrations.CreateModel(
            name='FormCertificate',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('facts', models.JSONField()),
                ('sha256', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
                ('touch', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='form_certificate', to='rooftree.touch')),
            ],
            options={
                'db_table': 'form_certificate',
            },
        ),
        migrations.CreateModel(
            name='FormDraft',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('body', models.BinaryField()),
                ('headers', models.JSONField()),
                ('address', models.CharField(blank=True, max_length=45)),
                ('saved_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(null=True)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.source')),
            ],
            options={
                'db_table': 'form_draft',
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='form_draft_due')],
            },
        ),
        migrations.RunSQL(HOMES, migrations.RunSQL.noop),
        migrations.RunSQL(PROPERTIES, migrations.RunSQL.noop),
    ]
