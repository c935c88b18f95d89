"""The states of a submission and of what is expected: one plain sentence and a next step each.

What moves a submission from one state to another stands in `submission`, `deliveries` and `signing`; when an expected
extract is late stands in `expected`.
"""

from __future__ import annotations

RECEIVED = "received"
READING = "reading"
UNREADABLE = "unreadable"
CORRECTIONS_NEEDED = "corrections_needed"
ACKNOWLEDGEMENTS_NEEDED = "acknowledgements_needed"
READY = "ready_to_sign"
CERTIFIED = "certified"
SUPERSEDED = "superseded"
WITHDRAWN = "withdrawn"
DAMAGED = "damaged"

STATES = {
    RECEIVED: (
        "The files have arrived and are not screened yet.",
        "Run nmip run; if it stays like this, send the same files again.",
    ),
    READING: (
        "The files are being read and checked.",
        "Wait a moment; if it stays like this, run nmip run.",
    ),
    UNREADABLE: ("The files cannot be read.", "Read the finding, mend the file and send it again."),
    CORRECTIONS_NEEDED: ("Something in the files must be corrected.", "Correct the findings in your file and send it again."),
    ACKNOWLEDGEMENTS_NEEDED: (
        "Nothing is wrong, but something is unusual.",
        "Correct it and send the file again, or say why it is right: nmip acknowledge ID --rule RULE --reason TEXT.",
    ),
    READY: (
        "Nothing stands against it; the submission waits for its signer.",
        "Look at what signing changes (nmip diff ID), then sign it: nmip sign ID --statement TEXT.",
    ),
    CERTIFIED: ("Certified and in force.", "Nothing to do."),
    SUPERSEDED: ("Replaced by a later certified submission.", "Nothing to do."),
    WITHDRAWN: ("Withdrawn by the district; it takes no part in anything.", "Nothing to do."),
    DAMAGED: (
        "The record of this submission was changed after it was written.",
        "Tell the operator of NMIP; nmip verify-receipt ID names what was changed. Nothing is published meanwhile.",
    ),
}
