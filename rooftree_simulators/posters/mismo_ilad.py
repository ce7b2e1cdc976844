"""A point-of-sale system's MISMO 3.4 file of one application."""

import random
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

_FILE_TEMPLATE = """<?xml version="1.0" encoding="utf-8"?>
<MESSAGE xmlns="http://www.mismo.org/residential/2009/schemas"
 MISMOReferenceModelIdentifier="3.4.032420160128">
<ABOUT_VERSIONS><ABOUT_VERSION><CreatedDatetime>{made}</CreatedDatetime></ABOUT_VERSION></ABOUT_VERSIONS>
<DEAL_SETS><DEAL_SET><DEALS><DEAL>
<COLLATERALS><COLLATERAL><SUBJECT_PROPERTY>
<ADDRESS><AddressLineText>12 Fern St</AddressLineText><CityName>{city}</CityName>
<PostalCode>{zip}</PostalCode><StateCode>{state}</StateCode></ADDRESS>
<PROPERTY_DETAIL><FinancedUnitCount>1</FinancedUnitCount>
<PropertyEstimatedValueAmount>{price}.00</PropertyEstimatedValueAmount>
<PropertyUsageType>PrimaryResidence</PropertyUsageType></PROPERTY_DETAIL>
</SUBJECT_PROPERTY></COLLATERAL></COLLATERALS>
<LOANS><LOAN LoanRoleType="SubjectLoan">
<LOAN_IDENTIFIERS><LOAN_IDENTIFIER><LoanIdentifier>{number}</LoanIdentifier>
<LoanIdentifierType>LenderLoan</LoanIdentifierType></LOAN_IDENTIFIER></LOAN_IDENTIFIERS>
<TERMS_OF_LOAN><BaseLoanAmount>{loan}.00</BaseLoanAmount>
<LoanPurposeType>{purpose}</LoanPurposeType><MortgageType>Conventional</MortgageType></TERMS_OF_LOAN>
</LOAN></LOANS>
<PARTIES><PARTY SequenceNumber="1"><INDIVIDUAL><CONTACT_POINTS>
<CONTACT_POINT><CONTACT_POINT_TELEPHONE><ContactPointTelephoneValue>{phone}</ContactPointTelephoneValue></CONTACT_POINT_TELEPHONE>
<CONTACT_POINT_DETAIL><ContactPointRoleType>Mobile</ContactPointRoleType></CONTACT_POINT_DETAIL></CONTACT_POINT>
<CONTACT_POINT><CONTACT_POINT_EMAIL><ContactPointEmailValue>{email}</ContactPointEmailValue></CONTACT_POINT_EMAIL></CONTACT_POINT>
</CONTACT_POINTS><NAME><FirstName>{first}</FirstName><LastName>{last}</LastName></NAME></INDIVIDUAL>
<ROLES><ROLE><BORROWER><BORROWER_DETAIL><BorrowerClassificationType>Primary</BorrowerClassificationType></BORROWER_DETAIL></BORROWER>
<ROLE_DETAIL><PartyRoleType>Borrower</PartyRoleType></ROLE_DETAIL></ROLE></ROLES>
<TAXPAYER_IDENTIFIERS><TAXPAYER_IDENTIFIER><TaxpayerIdentifierValue>900456789</TaxpayerIdentifierValue>
<TaxpayerIdentifierType>SocialSecurityNumber</TaxpayerIdentifierType></TAXPAYER_IDENTIFIER></TAXPAYER_IDENTIFIERS>
</PARTY></PARTIES>
</DEAL></DEALS></DEAL_SET></DEAL_SETS></MESSAGE>"""


def application_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build the POST for one application, with the social security number such files carry."""
    number = f"APP-{rng.randrange(10**6)}"
    values = {
        "made": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "number": number,
        "city": borrower.city,
        "state": borrower.state,
        "zip": borrower.zip,
        "price": str(borrower.price),
        "loan": str(borrower.loan),
        "purpose": "Purchase" if borrower.purpose == "purchase" else "Refinance",
        "phone": borrower.phone,
        "email": borrower.email,
        "first": borrower.first_name,
        "last": borrower.last_name,
    }
    body = _FILE_TEMPLATE.format(**{name: escape(value) for name, value in values.items()}).encode()
    return Delivery(vendor_id=number, body=body, headers={"Content-Type": "application/xml"})
