"""The SOAP request that creates a file in MeridianLink Mortgage."""

from lxml import etree

from rooftree.los.handoff_record import HandoffRecord
from rooftree.los.mismo_document import INVALID_XML_CHARS

NAMESPACE = "http://www.lendersoffice.com/los/webservices/"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TICKET_PLACEHOLDER = "Bearer TEST-TOKEN"  # replaced when the request is sent
MISMO_FORMAT = "12"


def build_create_request(handoff: HandoffRecord, mismo: str | None) -> str:
    """Build the SOAP request; `mismo` is the loan's MISMO document, if it is included."""
    options = etree.Element("LOXmlFormat", version="1.0")
    fields = {
        "IsLead": "True",
        "TemplateNm": handoff.connection.template or "",
        "IsTestFile": "False",
    }
    for name, value in fields.items():
        _add_field(options, name, value)
    record = etree.SubElement(etree.SubElement(options, "collection", id="Assignments"), "record")
    officer = {
        "Login": handoff.officer.los_user or "",
        "UserType": "B",
        "Role": "LoanOfficer",
    }
    for name, value in officer.items():
        _add_field(record, name, value)
    if mismo is not None:
        _add_field(options, "Format", MISMO_FORMAT)
        _add_field(options, "ImportFileContent", "").text = etree.CDATA(mismo)
    return _wrap_in_soap(etree.tostring(options, encoding="unicode"))


def _wrap_in_soap(options: str) -> str:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    call = etree.SubElement(body, f"{{{NAMESPACE}}}CreateWithOptions", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    etree.SubElement(call, f"{{{NAMESPACE}}}sTicket").text = TICKET_PLACEHOLDER
    etree.SubElement(call, f"{{{NAMESPACE}}}optionsXml").text = options
    document: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return document.decode()


def _add_field(parent: etree._Element, name: str, value: str) -> etree._Element:
    element = etree.SubElement(parent, "field", id=name)
    element.text = INVALID_XML_CHARS.sub("", value)
    return element
