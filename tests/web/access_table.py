"""Who may open which page and do which act: one line for every address of the site."""

from dataclasses import dataclass

from rooftree.web.urls_wording import PLACE

ROLE_LETTERS = {
    "o": "officer",
    "a": "assistant",
    "m": "manager",
    "p": "operations",
    "k": "marketing",
    "c": "compliance",
    "e": "executive",
    "d": "administrator",
}
ALL = "".join(ROLE_LETTERS)
BOUND = "oam"  # see one branch, or less
DONE = {200, 204, 302, 303, 400, 409, 422}  # asked, and answered about the matter itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Who gets in, with what in the address, and how."""

    who: str = ALL
    args: str = ""  # attributes of the world, in order
    post: bool = False
    of_lead: bool = False  # another branch's answers 404
    public: bool = False  # a borrower or a machine: no sign-in, no role
    others: int = 403
    data: str = ""  # what a form must say: key=attribute of the world


def get(who: str = ALL, args: str = "", **more: object) -> Line:
    return Line(who=who, args=args, **more)  # type: ignore[arg-type]


def post(who: str, args: str = "", **more: object) -> Line:
    return Line(who=who, args=args, post=True, **more)  # type: ignore[arg-type]


def public(args: str = "", *, post: bool = False) -> Line:
    return Line(args=args, public=True, post=post)


HERE = "first_hello text any any"  # a place of wording

TABLE = {
    # The door, and what machines and borrowers see.
    "": get(),
    "sign-in/": public(),
    "sign-in/second/": public(),
    "sign-in/passkey/": public(),
    "sign-in/again/": get(),
    "sign-out/": public(post=True),
    "password-reset/": public(),
    "manifest.webmanifest": public(),
    ".well-known/rooftree-keys.json": public(),
    "set-password/<uidb64>/<token>/": public("word word"),
    "in/form/<slug:token>": public("form_slug", post=True),
    "in/twilio/text/": public(post=True),
    "in/twilio/call/": public(post=True),
    "in/twilio/call/after/": public(post=True),
    "in/mail/<str:secret>": public("nobody", post=True),
    "in/twilio/status/<uuid:message_id>/": public("nobody", post=True),
    "in/twilio/ring/<uuid:ring_id>/": public("nobody", post=True),
    "in/twilio/ring/<uuid:ring_id>/key/": public("nobody", post=True),
    "in/twilio/ring/<uuid:ring_id>/after/": public("nobody", post=True),
    "in/twilio/ring/<uuid:ring_id>/status/": public("nobody", post=True),
    "in/encompass/<slug:slug>/": public("word", post=True),
    "in/<slug:adapter>/<str:token>": public("zillow word", post=True),
    "in/pingpost/<str:token>/<slug:step>": public("word ping", post=True),
    "forms/<slug:slug>/": public("form_slug"),
    "forms/<slug:slug>/draft/": public("form_slug", post=True),
    "forms/<slug:slug>/thanks/": public("form_slug"),
    "forms/<slug:slug>/thanks/<slug:reference>/": public("form_slug word"),
    "forms/<slug:slug>/embed.js": public("form_slug"),
    "unsubscribe/<str:token>/": public("word"),
    "look-around/<uuid:user_id>/": public("user", post=True),
    # Everywhere.
    "loading/": get(),
    "find/": get(),
    "more/": get(),
    "notices/": get(),
    "rates/": get(),
    "notices/reading/": post(ALL),
    "notices/<uuid:notice_id>/reading/": post("", "notice", others=404),
    # One's own sign-in.
    "me/sign-in/": get(),
    "me/sign-in/password/": post(ALL),
    "me/sign-in/app/": get(),
    "me/sign-in/app/removal/": post("", others=404),
    "me/sign-in/codes/": post(ALL),
    "me/sign-in/passkeys/": get(),
    "me/sign-in/passkeys/<int:key_id>/": post("", "one", others=404),
    "me/sign-in/passkeys/<int:key_id>/removal/": post("", "one", others=404),
    "me/sign-in/sessions/end/": post(ALL),
    "me/sign-in/sessions/<slug:name>/end/": post(ALL, "word"),
    # Who may be one person.
    "matches/": get("mpd"),
    "matches/<uuid:likeness_id>/decision/": post("mpd", "likeness"),
    # The queue and one lead.
    "queue/": get("oa"),
    "offers/": get(),
    "offers/<uuid:offer_id>/acceptance/": post("o", "offer"),
    "offers/<uuid:offer_id>/refusal/": post("o", "offer"),
    "me/availability/": post("o"),
    "conversations/": get("oampkced"),
    "conversations/<uuid:lead_id>/": get(ALL, "lead", of_lead=True),
    "pipeline/": get(),
    "team/": get("mpced"),
    "leads/<uuid:lead_id>/ownership/": post("mpd", "lead", data="officer=officer"),
    "leads/<uuid:lead_id>/": get(ALL, "lead", of_lead=True),
    "leads/<uuid:lead_id>/may/<slug:medium>/": get(ALL, "lead text", of_lead=True),
    "leads/<uuid:lead_id>/calls/": get("oam", "lead", of_lead=True),
    "leads/<uuid:lead_id>/attempts/": post("oam", "lead", of_lead=True),
    "leads/<uuid:lead_id>/messages/": get("oam", "lead", of_lead=True),
    "leads/<uuid:lead_id>/remarks/": post("oampd", "lead", of_lead=True),
    "leads/<uuid:lead_id>/tasks/": post("oampd", "lead", of_lead=True),
    "leads/<uuid:lead_id>/watches/": post("oam", "lead", of_lead=True),
    "leads/<uuid:lead_id>/hand-off/": post("oam", "lead", of_lead=True),
    "leads/<uuid:lead_id>/person/": get(ALL, "lead", of_lead=True),
    "leads/<uuid:lead_id>/person/merges/": post("mpd", "lead", of_lead=True, data="other=lead"),
    "leads/<uuid:lead_id>/person/splits/": post("mpd", "lead", of_lead=True, data="merge=merge"),
    "leads/<uuid:lead_id>/snooze/": post("oampd", "lead", of_lead=True),
    "tasks/": get(),
    "tasks/<uuid:task_id>/completion/": post("oampd", "task", of_lead=True),
    # Routing.
    "routing/": get("mpced"),
    "routing/preview/": get("pd"),
    "routing/draft/": post("pd"),
    "routing/draft/rules/": get("pd"),
    "routing/draft/rules/<int:place>/": get("pd", "one"),
    "routing/draft/rules/<int:place>/move/": post("pd", "one", data="to=up"),
    "routing/publication/": get("pd"),
    "routing/editions/": get("mpced"),
    "routing/editions/<int:number>/": get("mpced", "one"),
    "routing/editions/<int:number>/restoration/": post("pd", "one"),
    # What borrowers are sent.
    "wording/": get("mpkcd"),
    "wording/new/": get("pkd"),
    "wording/editions/<uuid:edition_id>/": get("mpkcd", "wording"),
    "wording/editions/<uuid:edition_id>/<slug:what>/": post("cd", "wording withdrawal"),
    f"{PLACE}": get("mpkcd", HERE),
    f"{PLACE}reading/": post("pkd", HERE),
    f"{PLACE}proposal/": post("pkd", HERE),
    f"{PLACE}draft/": post("pkd", HERE),
    "sequences/": get("mpkcd"),
    "sequences/editions/<uuid:edition_id>/": get("mpkcd", "sequence"),
    "sequences/editions/<uuid:edition_id>/<slug:what>/": post("cd", "sequence withdrawal"),
    "sequences/<slug:key>/": get("pkd", "not_reached"),
    "sequences/<slug:key>/proposal/": post("pkd", "not_reached"),
    "sequences/<slug:key>/draft/": post("pkd", "not_reached"),
    "decisions/<uuid:decision_id>/": get(ALL, "decision", of_lead=True),
    # Compliance.
    "compliance/fair-lending/": get("c"),
    "compliance/fair-lending/taken-out/": get("c"),
    "compliance/findings/<uuid:finding_id>/conclusion/": post("c", "finding"),
    "compliance/things-of-value/": get("pc"),
    "compliance/agreements/new/": get("pc"),
    "compliance/agreements/<uuid:agreement_id>/approval/": post("c", "agreement"),
    "compliance/agreements/<uuid:agreement_id>/end/": post("c", "agreement"),
    "compliance/pay-plans/": get("pc"),
    "compliance/pay-plans/new/": get("pc"),
    "compliance/pay-plans/<uuid:plan_id>/decision/": post("c", "plan", data="act=drop"),
    "compliance/": get("cd"),
    "compliance/verdicts/<uuid:verdict_id>/": get(ALL, "verdict", of_lead=True),
    "compliance/do-not-contact/": post("cd"),
    "compliance/holds/<uuid:revocation_id>/release/": post("cd", "hold"),
    "compliance/messages/": get("cd"),
    "compliance/messages/<uuid:message_id>/decision/": post("cd", "message"),
    "compliance/ledger/": get("cd"),
    "compliance/ledger/heads/": get("cd"),
    "compliance/ledger/heads/newest/": post("cd"),
    "compliance/sources/<uuid:source_id>/": get("cd", "source"),
    "compliance/emergencies/": post("cd"),
    "compliance/lists/": get("cd"),
    "compliance/evidence/": post("cd"),
    "controls/": get("cd"),
    "controls/export/": post("cd"),
    "controls/access-review/": get("cd"),
    "controls/records/": get("cd"),
    "controls/incidents/": get("cd"),
    "controls/incidents/<uuid:incident_id>/": post("cd", "incident"),
    "access-log/": get("cd"),
    # Machines: a key opens these, never a session (tests/api/test_who_sees_what.py).
    "api/v1/leads/<uuid:lead_id>": public("lead"),
    "api/v1/leads": public(post=True),
    "api/v1/sources": public(),
    "api/v1/openapi.json": public(),
    "api/v1/docs/": public(),
    # Set-up.
    "setup/api-keys/": get("d"),
    "setup/api-keys/<uuid:key_id>/revocation/": post("d", "key"),
    "setup/people/<uuid:user_id>/second-factors/": post("d", "user"),
    "setup/people/<uuid:user_id>/sessions/": post("d", "user"),
    "setup/": get("d"),
    "setup/company/": get("d"),
    "setup/branches/": get("d"),
    "setup/branches/<uuid:branch_id>/": get("d", "branch"),
    "setup/people/": get("d"),
    "setup/people/<uuid:user_id>/": get("d", "user"),
    "setup/people/<uuid:user_id>/officer/": get("d", "user"),
    "setup/people/<uuid:user_id>/departure/": post("d", "user"),
    "setup/people/<uuid:user_id>/password-link/": post("d", "user"),
    "setup/licenses/file/": get("pcd"),
    "setup/licenses/": get("pcd"),
    "setup/licenses/<uuid:license_id>/": get("pcd", "license"),
    "setup/company-licenses/<uuid:license_id>/": get("pcd", "company_license"),
    "setup/sources/": get("pkd"),
    "setup/sources/<uuid:source_id>/": get("pkd", "source"),
    "setup/sources/<uuid:source_id>/posts/": get("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/instructions/": get("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/instructions/reading/": post("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/map/": get("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/map/preview/": post("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/map/publication/": post("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/map/draft/": post("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/map/editions/<int:number>/restoration/": post(
        "pkd", "post_source one"
    ),
    "setup/imports/": get("pkd"),
    "setup/imports/<uuid:sheet_id>/": get("pkd", "sheet"),
    "setup/imports/<uuid:sheet_id>/refused.csv": get("pkd", "sheet"),
    "setup/imports/<uuid:sheet_id>/<slug:what>/": post("pkd", "sheet drop"),
    "setup/sources/<uuid:source_id>/secrets/": post("pkd", "source"),
    "setup/sources/<uuid:source_id>/credentials/": get("pkd", "source"),
    "setup/sources/<uuid:source_id>/details/": get("pkd", "source"),
    "setup/sources/<uuid:source_id>/bids/": get("pkd", "seller"),
    "setup/sources/<uuid:source_id>/baseline/": get("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/baseline/waiver/": post("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/baseline/launch/": post("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/acceptance/": get("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/acceptance/trial/": post("pkd", "post_source"),
    "setup/sources/<uuid:source_id>/pause/": post("pkd", "source"),
    "setup/certificates/": get("d"),
    "setup/mailboxes/": get("d"),
    "setup/mailboxes/<uuid:mailbox_id>/": get("d", "mailbox"),
    "setup/mailboxes/<uuid:mailbox_id>/pause/": post("d", "mailbox"),
    "setup/los/": get("d"),
    "setup/los/<uuid:connection_id>/": get("d", "connection"),
    "setup/los/<uuid:connection_id>/<slug:what>/": post("d", "connection off"),
    "setup/sending/": get("d"),
    "setup/dead-letters/": get("d"),
    "setup/dead-letters/<int:job_id>/retry/": post("d", "one"),
    # The first screen, the sources, and taking leads out.
    "home/records/<slug:number>/export/": get("mpced", "number"),
    "pipeline/export/": get("mpced"),
    "home/": get("mpkced"),
    "home/records/<slug:number>/": get("mpkced", "number"),
    "portal/": get(""),
    "portal/introductions/": get(""),
    "partners/": get("pkcd"),
    "partners/<uuid:partner_id>/": get("pkcd", "partner"),
    "partners/<uuid:partner_id>/password-link/": post("pkd", "partner"),
    "partners/<uuid:partner_id>/departure/": post("pkd", "partner"),
    "partners/<uuid:partner_id>/values/": post("pkcd", "partner"),
    "partners/values/<uuid:thing_id>/correction/": post("pkcd", "thing", data="why=note"),
    "introductions/<uuid:introduction_id>/permission/": get("oampd", "introduction", of_lead=True),
    "returns/": get("pked"),
    "returns/<uuid:claim_id>/": get("pked", "claim"),
    "returns/arrivals/<uuid:touch_id>/": get("pkd", "touch"),
    "returns/<uuid:claim_id>/<slug:what>/": post("pkd", "claim note", data="note=word"),
    "returns/sources/<uuid:source_id>/file/": get("pd", "source"),
    "returns/files/<uuid:file_id>/copies/": post("pd", "return_file", data="reason=long_reason"),
    "returns/sources/<uuid:source_id>/contract/": get("pked", "source"),
    "returns/sources/<uuid:source_id>/statuses/": get("pkd", "source"),
    "returns/statuses/<uuid:file_id>/": get("pkd", "status_file"),
    "sources/": get("pkced"),
    "sources/<uuid:source_id>/": get("pkced", "source"),
    "sources/<uuid:source_id>/replays/": post("pd", "source"),
    "sources/deliveries/<uuid:delivery_id>/": get("pkced", "delivery"),
    "sources/deliveries/<uuid:delivery_id>/replay/": post("pd", "delivery"),
}
