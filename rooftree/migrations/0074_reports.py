"""Let users save views of the Reports page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0071_own_sequences")]

    operations = [
        migrations.RemoveConstraint(model_name="savedview", name="saved_view_page_known"),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(page__in=("queue", "pipeline", "people", "reports")),
                name="saved_view_page_known",
            ),
        ),
    ]
