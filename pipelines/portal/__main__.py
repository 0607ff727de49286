"""`python -m pipelines.portal`: serve the portal, alone, for a service manager or a container.

`passerelle serve` runs this and Dagster on one machine.

It listens where PASSERELLE_PORTAL_LISTEN says, on this machine unless it says otherwise, and
believes the forwarded headers of PASSERELLE_TRUSTED_PROXY only. One process: counts of requests
are kept in its memory.
"""

from __future__ import annotations

import logging
import sys
import time

from pipelines.core.ownership import keep_private
from pipelines.core.settings import Settings, current_settings
from pipelines.portal.configuration import Configuration, current_configuration
from schemas.contract_check import check_all
from schemas.problem import ContractError
from schemas.text import LANGUAGES

KEEP_ALIVE_S = 30
ENDS_WITHIN_S = 10
NOT_USABLE = 2


def main() -> int:
    """Serve until asked to end; 2 where the environment or a contract cannot be used."""
    keep_private()
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%SZ",
        level=logging.INFO,
        stream=sys.stderr,
    )
    logging.Formatter.converter = time.gmtime
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log addresses in full
    try:
        check_all()
        settings, configuration = current_settings(), current_configuration()
    except ContractError as error:
        sys.stderr.write("\n".join(error.text(language) for language in LANGUAGES) + "\n")
        return NOT_USABLE
    except ValueError as error:
        sys.stderr.write(f"PSL-207: {error}\n")
        return NOT_USABLE
    return serve(settings, configuration)


def serve(settings: Settings, configuration: Configuration) -> int:
    """Serve the portal of these settings."""
    import uvicorn

    from pipelines.portal.app import create_app

    host, port = configuration.address
    uvicorn.run(
        create_app(settings, configuration),
        host=host,
        port=port,
        proxy_headers=bool(configuration.trusted_proxy),
        forwarded_allow_ips=configuration.trusted_proxy or None,
        access_log=False,
        ws="none",  # there is none here, and its handshake would be logged with the whole address
        server_header=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=ENDS_WITHIN_S,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
