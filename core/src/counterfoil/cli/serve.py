"""``counterfoil serve``: the API and the web app."""

import argparse

import uvicorn
from fastapi import FastAPI

from counterfoil.app import create_app
from counterfoil.cli.services import usable_settings
from counterfoil.config import Settings
from counterfoil.observability import configure_logging
from counterfoil.web.protocol import BoundedHttp

_GRACE_S = 8


def configure(_parser: argparse.ArgumentParser) -> None:
    """No arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    with usable_settings() as settings:
        configure_logging(settings.log_format, settings.log_level)
        server = uvicorn.Server(configured(create_app(settings), settings))
        server.run()
        return 0 if server.started else 1


def configured(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=BoundedHttp,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        # Left to itself the server believes whatever runs on this machine, and then anybody's word about where they are.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
