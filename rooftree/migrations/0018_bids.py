"""What was bid on a ping, and people found by the hashes a ping carries instead of them."""

import django.db.models.deletion
import rooftree.core.uuid7
from django.db import migrations, models


HASHES = """
create function phone_hash(e164 text) returns bytea language sql immutable strict parallel safe
    as $$ select sha256(convert_to(e164, 'UTF8')) $$;
create function email_hash(address text) returns bytea language sql immutable strict parallel safe
    as $$ select sha256(convert_to(lower(address), 'UTF8')) $$;
create index phone_by_hash on phone (phone_hash(e164));
create index email_by_hash on email (email_hash(address));
"""
NO_HASHES = """
drop index email_by_hash;
drop index phone_by_hash;
drop function email_hash;
drop function phone_hash;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0017_upstream'),
    ]

    operations = [
        migrations.CreateModel(
            name='PlacedBid',
            fields=[
                ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                ('ping_id', models.CharField(max_length=255)),
                ('told', models.JSONField(default=dict)),
                ('state', models.CharField(blank=True, max_length=2)),
                ('purpose', models.CharField(blank=True, max_length=30)),
                ('phone_hash', models.CharField(blank=True, max_length=64)),
                ('email_hash', models.CharField(blank=True, max_length=64)),
                ('cents', models.PositiveIntegerField()),
                ('why', models.CharField(blank=True, max_length=24)),
                ('seconds', models.PositiveIntegerField()),
                ('asked_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bids', to='rooftree.source')),
            ],
            options={
                'db_table': 'bid',
                'indexes': [models.Index(fields=['source', 'expires_at'], name='bids_still_out'), models.Index(fields=['asked_at'], name='bids_by_age')],
                'constraints': [models.UniqueConstraint(fields=('source', 'ping_id'), name='bid_once_a_ping'), models.CheckConstraint(condition=models.Q(models.Q(('cents__gt', 0), ('why', '')), models.Q(('cents', 0), models.Q(('why', ''), _negated=True)), _connector='OR'), name='bid_or_why_not')],
            },
        ),
        migrations.RunSQL(HASHES, NO_HASHES),
    ]
