"""XML of instrument files, read with suspicion: no document type, no entities, the root that the format has."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from nanotexture.errors import InputError


def parse_xml(file: str, field: str, content: bytes, root: str) -> Element:
    """Root element, whose name without namespace must be `root`; entities and document types are refused."""
    try:
        found: Any = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise InputError(file, field, "no document type and no entities", type(error).__name__) from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputError(file, field, "a complete XML document", str(error)) from error
    name = found.tag.rpartition("}")[2]
    if name != root:
        raise InputError(file, field, f"a document of <{root}>", f"<{name[:60]}>")
    element: Element = found
    return element
