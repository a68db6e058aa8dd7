"""The part of the settings that a client of a language model's server needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.addresses import database_secrets, read_servers, server_secrets, split_databases
from app.config import Settings


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """Where the server is and how long it may take, in seconds. See PGASK_LLM_* in app/config.py."""

    base_url: str = field(repr=False)
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    context_tokens: int | None = None
    reasoning_tokens: int = 2048
    connect_timeout_s: float = 3.0
    first_token_timeout_s: float = 15.0
    idle_timeout_s: float = 10.0
    total_timeout_s: float = 120.0
    concurrency: int = 8
    queue: int = 32
    queue_timeout_s: float = 10.0
    retry_pause_s: float = 0.2
    database_urls: tuple[str, ...] = field(default=(), repr=False)
    beside_urls: tuple[str, ...] = field(default=(), repr=False)  # of the model's other servers

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be repeated of what a server says: secrets of all settings, whoever is told them."""
        keys = (self.api_key,) if self.api_key else ()
        of_databases = (secret for url in self.database_urls for secret in database_secrets(url))
        of_servers = (secret for url in (self.base_url, *self.beside_urls) for secret in server_secrets(url))
        return (*keys, *of_servers, *of_databases)

    @classmethod
    def each_from_settings(cls, settings: Settings) -> list[LlmSettings]:
        """The group from all settings, one a server in the setting's order; none where no server is configured."""
        urls = [] if settings.llm_base_url is None else read_servers(settings.llm_base_url)
        return [cls._of(settings, url, tuple(other for other in urls if other != url)) for url in urls]

    @classmethod
    def _of(cls, settings: Settings, url: str, beside: tuple[str, ...]) -> LlmSettings:
        return cls(
            base_url=url,
            beside_urls=beside,
            model=settings.llm_model,
            api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else None,
            context_tokens=settings.llm_context_tokens,
            reasoning_tokens=settings.llm_reasoning_tokens,
            connect_timeout_s=settings.llm_connect_timeout_s,
            first_token_timeout_s=settings.llm_first_token_timeout_s,
            idle_timeout_s=settings.llm_idle_timeout_s,
            total_timeout_s=settings.llm_total_timeout_s,
            concurrency=settings.llm_concurrency,
            queue=settings.llm_queue,
            queue_timeout_s=settings.llm_queue_timeout_s,
            database_urls=tuple(
                address
                for url in (
                    settings.database_url,
                    settings.owner_database_url,
                    settings.direct_database_url,
                    settings.read_database_url,
                )
                if url
                for address in split_databases(url.get_secret_value())
            ),
        )
