"""Office files with the same bytes for the same content: every entry carries one fixed time, workbooks inside them too."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime

_TIMES = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:\2>)")
_WORKBOOKS = (".xlsx",)
# The first moment that a zip archive can name.
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def stamped(package: bytes, when: datetime) -> bytes:
    """A zip package of Office's with `when` as the time that its properties tell, and no other time anywhere."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(_WORKBOOKS):
                content = stamped(content, when)
            elif name == "docProps/core.xml":
                content = _TIMES.sub(rb"\g<1>" + when.strftime("%Y-%m-%dT%H:%M:%SZ").encode() + rb"\g<3>", content)
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return held.getvalue()
