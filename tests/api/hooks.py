"""What the document says in words alone, and no schema can."""

import schemathesis
from schemathesis import GenerationMode

# The codes with which an operation refuses what has the right shape.
IN_WORDS = {
    "members": {"INVALID_CURSOR"},  # of a page that nobody was given
    "history": {"INVALID_CURSOR"},
    "dial": {"INVALID_TICKET"},  # an address that nobody can be at
    "read_ticket": {"INVALID_TICKET"},  # its last characters are a checksum
    "join": {"INVALID_MEMBER_ID", "INVALID_TICKET"},  # u_ and the id of somebody else
    "presence": {"INVALID_PRESENCE"},  # a key expires that is not set
    "share": {"FORBIDDEN"},  # a guest shares nothing
    "change_share": {"FORBIDDEN", "INVALID_TICKET"},  # and an address is one of this computer
    "set_profile": {"FORBIDDEN"},  # a guest has no profile
    "new_identity": {"FORBIDDEN"},
    "replay": {"INVALID_LIMIT"},  # one of at and atMs is allowed
    "replay_file": {"INVALID_RECORDING", "INVALID_LIMIT"},  # and the body is a recording
    "replay_state": {"INVALID_RECORDING", "INVALID_LIMIT"},
    "replay_test": {"INVALID_RECORDING"},
    "replay_lineup": {"INVALID_RECORDING", "INVALID_LIMIT"},  # and the first file is no longer than both
    "lab": {"FORBIDDEN"},  # it is started without one: a network that sleeps answers nothing
    "change_lab": {"FORBIDDEN"},
}


@schemathesis.hook
def before_call(context, case, kwargs):
    """A guest's name is nothing without a guest."""
    names = {name.lower() for name in case.headers or {}}
    if "parlor-user-name" in names and "parlor-user" not in names:
        case.headers["Parlor-User"] = "visitor"


@schemathesis.check
def refuses_what_fits_only_for_a_reason_in_words(context, response, case):
    fits = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if fits and response.status_code in (400, 403):
        operation = case.operation.definition.raw["operationId"]
        code = response.json()["code"]
        assert code in IN_WORDS.get(operation, ()), f"{operation} refused what its schema allows, with {code}"
