"""URLs of lead sources and their setup."""

from django.urls import URLPattern, path

from rooftree.web.sources import (
    acceptance_rule_views,
    adapter_settings_views,
    baseline_views,
    bid_views,
    credential_views,
    field_map_views,
    form_version_actions,
    form_version_views,
    posting_instruction_views,
    source_setup_views,
    views,
    webhook_settings_views,
)

urlpatterns: list[URLPattern] = [
    path("setup/sources/", source_setup_views.list_source_setups, name="setup_sources"),
    path("setup/sources/<uuid:source_id>/", source_setup_views.edit_source, name="setup_source"),
    path(
        "setup/sources/<uuid:source_id>/secrets/",
        source_setup_views.renew_secrets,
        name="setup_source_secrets",
    ),
    path(
        "setup/sources/<uuid:source_id>/credentials/",
        credential_views.edit_credentials,
        name="source_credentials",
    ),
    path(
        "setup/sources/<uuid:source_id>/pause/",
        source_setup_views.switch_source,
        name="setup_source_pause",
    ),
    path("setup/sources/<uuid:source_id>/bids/", bid_views.edit_bids, name="source_bids"),
    path(
        "setup/sources/<uuid:source_id>/acceptance/",
        acceptance_rule_views.edit_acceptance,
        name="source_acceptance",
    ),
    path(
        "setup/sources/<uuid:source_id>/acceptance/trial/",
        acceptance_rule_views.preview_acceptance,
        name="source_acceptance_trial",
    ),
    path(
        "setup/sources/<uuid:source_id>/baseline/",
        baseline_views.edit_baseline,
        name="source_baseline",
    ),
    path(
        "setup/sources/<uuid:source_id>/baseline/waiver/",
        baseline_views.waive_part,
        name="source_baseline_waiver",
    ),
    path(
        "setup/sources/<uuid:source_id>/baseline/launch/",
        baseline_views.launch_source,
        name="source_baseline_launch",
    ),
    path(
        "setup/sources/<uuid:source_id>/posts/",
        webhook_settings_views.edit_webhook,
        name="source_posts",
    ),
    path(
        "setup/sources/<uuid:source_id>/details/",
        adapter_settings_views.edit_settings,
        name="source_settings",
    ),
    path(
        "setup/sources/<uuid:source_id>/instructions/",
        posting_instruction_views.show_instructions,
        name="source_instructions",
    ),
    path(
        "setup/sources/<uuid:source_id>/instructions/reading/",
        posting_instruction_views.try_post,
        name="source_reading",
    ),
    path("setup/sources/<uuid:source_id>/map/", field_map_views.edit_field_map, name="source_map"),
    path(
        "setup/sources/<uuid:source_id>/map/preview/",
        field_map_views.preview_field_map,
        name="source_map_preview",
    ),
    path(
        "setup/sources/<uuid:source_id>/map/publication/",
        field_map_views.publish_map_edition,
        name="source_map_publication",
    ),
    path(
        "setup/sources/<uuid:source_id>/map/draft/",
        field_map_views.discard_draft,
        name="source_map_draft",
    ),
    path(
        "setup/sources/<uuid:source_id>/map/editions/<int:number>/restoration/",
        field_map_views.restore_edition,
        name="source_map_restoration",
    ),
    path("setup/sources/<uuid:source_id>/form/", form_version_views.edit_form, name="source_form"),
    *(
        path(f"setup/sources/<uuid:source_id>/form/{word}/", view, name=f"source_form_{word}")
        for word, view in (
            ("findings", form_version_views.check_form),
            ("preview", form_version_views.preview_form),
            ("proposal", form_version_views.propose_form),
            ("draft", form_version_views.discard_form_draft),
        )
    ),
    path(
        "setup/sources/<uuid:source_id>/form/versions/<int:number>/",
        form_version_actions.show_form_version,
        name="form_version",
    ),
    *(
        path(
            f"setup/sources/<uuid:source_id>/form/versions/<int:number>/{word}/",
            view,
            name=f"form_version_{word}",
        )
        for word, view in (
            ("preview", form_version_views.preview_form),
            ("publication", form_version_actions.publish_form_version),
            ("rejection", form_version_actions.reject_form_version),
            ("withdrawal", form_version_actions.withdraw_form_version),
            ("restoration", form_version_actions.restore_form_version),
        )
    ),
    path("sources/", views.list_sources, name="sources"),
    path("sources/<uuid:source_id>/", views.show_source, name="source"),
    path("sources/<uuid:source_id>/replays/", views.replay_quarantined, name="replays"),
    path("sources/deliveries/<uuid:delivery_id>/", views.show_delivery, name="delivery"),
    path(
        "sources/deliveries/<uuid:delivery_id>/discard/",
        views.discard_delivery,
        name="discard_delivery",
    ),
    path("sources/deliveries/<uuid:delivery_id>/replay/", views.replay_delivery, name="replay"),
]
