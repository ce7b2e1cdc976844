"""Every address of the site. What acts is a resource: POST /offers/<id>/acceptance/."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from rooftree.web.views import (
    badge,
    calls,
    compliance,
    compliance_terms,
    conversations,
    dead_letters,
    decision,
    dnc,
    find,
    home,
    imports,
    install,
    lead,
    lead_acts,
    lead_form,
    loading,
    look_around,
    notices,
    pipeline,
    queue,
    rates,
    reviews,
    routing,
    setup,
    setup_licenses,
    setup_los,
    setup_password,
    setup_people,
    setup_sending,
    setup_sources,
    setup_tree,
    sign_in,
    source_maps,
    source_posts,
    sources,
    tasks,
    team,
    unsubscribe,
)

urlpatterns: list[URLPattern | URLResolver] = [
    # The door.
    path("", sign_in.land, name="land"),
    path("", include("rooftree.web.urls_sign_in")),
    path("api/v1/", include("rooftree.api.urls")),
    path("manifest.webmanifest", install.manifest, name="manifest"),
    # What machines send us.
    path("in/", include("rooftree.web.inbound")),
    # What borrowers see of us.
    path("forms/<slug:slug>/", lead_form.lead_form, name="lead_form"),
    path("forms/<slug:slug>/thanks/", lead_form.thanks, name="lead_form_thanks"),
    path("forms/<slug:slug>/thanks/<slug:reference>/", lead_form.thanks, name="lead_form_thanks"),
    path("forms/<slug:slug>/embed.js", lead_form.embed, name="lead_form_embed"),
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    # Everywhere.
    path("find/", find.show, name="find"),
    path("more/", find.more, name="more"),
    path("rates/", rates.rates, name="rates"),
    path("notices/", notices.show, name="notices"),
    path("notices/reading/", notices.all_read, name="notices_reading"),
    path("notices/<uuid:notice_id>/reading/", notices.reading, name="notice_reading"),
    # The officer's queue.
    path("queue/", queue.show, name="queue"),
    path("offers/", queue.offers, name="offers"),
    path("offers/<uuid:offer_id>/acceptance/", queue.acceptance, name="acceptance"),
    path("offers/<uuid:offer_id>/refusal/", queue.refusal, name="refusal"),
    path("me/availability/", queue.availability, name="availability"),
    # Every officer's other pages, and the manager's.
    path("conversations/", conversations.index, name="conversations"),
    path("conversations/<uuid:lead_id>/", conversations.show, name="conversation"),
    path("pipeline/", pipeline.show, name="pipeline"),
    path("team/", team.show, name="team"),
    path("leads/<uuid:lead_id>/ownership/", team.ownership, name="ownership"),
    # One lead.
    path("leads/<uuid:lead_id>/", lead.show, name="lead"),
    path("leads/<uuid:lead_id>/may/<slug:medium>/", badge.show, name="badge"),
    path("leads/<uuid:lead_id>/calls/", calls.show, name="calls"),
    path("leads/<uuid:lead_id>/attempts/", lead_acts.attempt, name="attempts"),
    path("leads/<uuid:lead_id>/messages/", lead_acts.messages, name="messages"),
    path("leads/<uuid:lead_id>/remarks/", lead_acts.note, name="remarks"),
    path("leads/<uuid:lead_id>/tasks/", lead_acts.task, name="tasks"),
    path("leads/<uuid:lead_id>/snooze/", lead_acts.snooze, name="snooze"),
    path("leads/<uuid:lead_id>/watches/", lead_acts.watches, name="watches"),
    path("leads/<uuid:lead_id>/hand-off/", lead_acts.handoff, name="handoff"),
    path("tasks/", tasks.show, name="my_tasks"),
    path("tasks/<uuid:task_id>/completion/", lead_acts.completion, name="completion"),
    path("", include("rooftree.web.urls_person")),
    # Who gets which lead, and why.
    path("routing/", routing.show, name="routing"),
    path("routing/preview/", routing.preview, name="routing_preview"),
    path("routing/draft/", routing.drop, name="routing_draft"),
    path("routing/draft/rules/", routing.rule, name="routing_rule_new"),
    path("routing/draft/rules/<int:place>/", routing.rule, name="routing_rule"),
    path("routing/draft/rules/<int:place>/move/", routing.move, name="routing_move"),
    path("routing/publication/", routing.publication, name="routing_publication"),
    path("routing/editions/", routing.editions, name="routing_editions"),
    path("routing/editions/<int:number>/", routing.edition, name="routing_edition"),
    path(
        "routing/editions/<int:number>/restoration/",
        routing.restoration,
        name="routing_restoration",
    ),
    path("decisions/<uuid:decision_id>/", decision.show, name="decision"),
    # What may be said to whom, and the proof of it.
    path("compliance/", compliance.show, name="compliance"),
    path("compliance/verdicts/<uuid:verdict_id>/", compliance.verdict, name="verdict"),
    path("compliance/do-not-contact/", compliance.do_not_contact, name="do_not_contact"),
    path("compliance/holds/<uuid:revocation_id>/release/", compliance.release, name="hold_release"),
    path("compliance/lists/", dnc.lists, name="dnc_lists"),
    path("compliance/messages/", reviews.index, name="reviews"),
    path("compliance/messages/<uuid:message_id>/decision/", reviews.decide, name="review_decision"),
    path("compliance/ledger/", compliance.ledger, name="compliance_ledger"),
    path("compliance/sources/<uuid:source_id>/", compliance_terms.terms, name="source_terms"),
    path("compliance/emergencies/", compliance_terms.emergencies, name="emergencies"),
    # Setting the company up.
    path("setup/", setup.show, name="setup"),
    path("setup/company/", setup.company, name="setup_company"),
    path("setup/branches/", setup_tree.branches, name="setup_branches"),
    path("setup/branches/<uuid:branch_id>/", setup_tree.branch, name="setup_branch"),
    path("setup/people/", setup_people.everyone, name="setup_people"),
    path("setup/people/<uuid:user_id>/", setup_people.person, name="setup_person"),
    path("setup/people/<uuid:user_id>/officer/", setup_people.officer, name="setup_officer"),
    path("setup/people/<uuid:user_id>/departure/", setup_people.departure, name="setup_departure"),
    path(
        "setup/people/<uuid:user_id>/password-link/",
        setup_people.password_link,
        name="setup_password_link",
    ),
    path(
        "set-password/<uidb64>/<token>/", setup_password.SetPassword.as_view(), name="set_password"
    ),
    path("setup/licenses/", setup_licenses.listed, name="setup_licenses"),
    path("setup/licenses/<uuid:license_id>/", setup_licenses.of_officer, name="setup_license"),
    path(
        "setup/company-licenses/<uuid:license_id>/",
        setup_licenses.of_company,
        name="setup_company_license",
    ),
    path("setup/sources/", setup_sources.sources, name="setup_sources"),
    path("setup/sources/<uuid:source_id>/", setup_sources.source, name="setup_source"),
    path(
        "setup/sources/<uuid:source_id>/secrets/",
        setup_sources.secrets,
        name="setup_source_secrets",
    ),
    path("setup/sources/<uuid:source_id>/pause/", setup_sources.pause, name="setup_source_pause"),
    path("setup/sources/<uuid:source_id>/posts/", source_posts.posts, name="source_posts"),
    path("setup/sources/<uuid:source_id>/trial/", source_posts.trial, name="source_trial"),
    path("setup/sources/<uuid:source_id>/map/", source_maps.show, name="source_map"),
    path(
        "setup/sources/<uuid:source_id>/map/preview/",
        source_maps.preview,
        name="source_map_preview",
    ),
    path(
        "setup/sources/<uuid:source_id>/map/publication/",
        source_maps.publication,
        name="source_map_publication",
    ),
    path("setup/sources/<uuid:source_id>/map/draft/", source_maps.drop, name="source_map_draft"),
    path(
        "setup/sources/<uuid:source_id>/map/editions/<int:number>/restoration/",
        source_maps.restoration,
        name="source_map_restoration",
    ),
    path("setup/imports/", imports.index, name="imports"),
    path("setup/imports/<uuid:sheet_id>/", imports.sheet, name="import"),
    path("setup/imports/<uuid:sheet_id>/refused.csv", imports.refused_rows, name="import_refused"),
    path("setup/imports/<uuid:sheet_id>/<slug:what>/", imports.act, name="import_act"),
    path("setup/los/", setup_los.connection_list, name="setup_los"),
    path("setup/los/<uuid:connection_id>/", setup_los.connection, name="setup_connection"),
    path("setup/los/<uuid:connection_id>/<slug:what>/", setup_los.act, name="setup_connection_act"),
    path("setup/sending/", setup_sending.sending, name="setup_sending"),
    path("setup/dead-letters/", dead_letters.show, name="dead_letters"),
    path("setup/dead-letters/<int:job_id>/retry/", dead_letters.retry, name="dead_letter_retry"),
    # The first screen, and the leads behind each of its figures.
    path("home/", home.show, name="home"),
    path("home/records/<slug:number>/", home.records, name="records"),
    # Who sends leads, and what they sent.
    path("sources/", sources.show, name="sources"),
    path("sources/<uuid:source_id>/", sources.source, name="source"),
    path("sources/<uuid:source_id>/replays/", sources.replays, name="replays"),
    path("sources/deliveries/<uuid:delivery_id>/", sources.delivery, name="delivery"),
    path("sources/deliveries/<uuid:delivery_id>/replay/", sources.replay, name="replay"),
]

if settings.IS_DEMO:
    urlpatterns += [
        path("look-around/<uuid:user_id>/", look_around.look_around, name="look_around"),
        path("loading/", loading.loading, name="loading"),
    ]

handler400 = "rooftree.web.views.failures.bad_request"
handler403 = "rooftree.web.views.failures.forbidden"
handler404 = "rooftree.web.views.failures.not_found"
handler500 = "rooftree.web.views.failures.broken"
