"""What every worker of the tests does once, so that it costs less."""

import gc
import sys

# jsonschema (with nbformat) builds 39 grammars out of it at import, to check a kind of address that stands in no notebook: 1.1 s
sys.modules.setdefault("rfc3987_syntax", None)  # an import of it raises ImportError, which jsonschema expects


def pytest_collection_finish():
    """What was imported stays: no collection of garbage has to walk through it again."""
    gc.collect()
    gc.freeze()
