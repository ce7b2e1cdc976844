"""Every table, gathered from the rooms so that Django finds them."""

# ruff: noqa: F403
from rooftree.capture.imports.models import *
from rooftree.capture.models import *
from rooftree.capture.own_form.models import *
from rooftree.compliance.models import *
from rooftree.compliance.numbers.models import *
from rooftree.compliance.rule_changes.models import *
from rooftree.leads.models import *
from rooftree.ledger.models import *
from rooftree.los.models import *
from rooftree.money.models import *
from rooftree.nurture.models import *
from rooftree.org.models import *
from rooftree.outreach.models import *
from rooftree.outreach.releases.models import *
from rooftree.outreach.wording.models import *
from rooftree.rates.models import *
from rooftree.reporting.models import *
from rooftree.retention.models import *
from rooftree.routing.models import *
from rooftree.scoring.models import *
