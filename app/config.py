"""Settings: read once from the environment and `.env`, frozen, handed down as the smallest group needed.

The only file that touches the environment. Every setting is `PGASK_` + the field's name in capitals;
`.env.example` lists them all (tests/unit/test_config.py keeps the two equal).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.addresses import (
    database_fault,
    read_header_name,
    read_networks,
    read_origins,
    read_servers,
    split_databases,
)
from app.errors import ConfigError

IndexMethod = Literal["ivfflat", "hnsw"]
VectorPrecision = Literal["full", "half"]


class Settings(BaseSettings):
    """All settings. Build with `load_settings`, which turns a wrong value into one clear line."""

    model_config = SettingsConfigDict(
        env_prefix="PGASK_", env_file=".env", env_file_encoding="utf-8", frozen=True, extra="ignore"
    )

    # where things are
    home: Path = Field(
        Path("~/.local/share/pgask"), description="Folder of the embedded PostgreSQL and its logs"
    )
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL 15 to 18 with pgvector 0.8 or newer; unset: embedded server under PGASK_HOME",
    )
    owner_database_url: SecretStr | None = Field(
        None,
        description="Role that owns the schema (migrate, index builds); unset: same as PGASK_DATABASE_URL",
    )
    direct_database_url: SecretStr | None = Field(
        None,
        description="The server itself, with the role of PGASK_DATABASE_URL, where that leads through a pooler in "
        "transaction mode: for commands, workers and checks, which keep sessions; unset: same as PGASK_DATABASE_URL",
    )
    read_database_url: SecretStr | None = Field(
        None,
        description="Replicas that questions are read from, comma-separated, with the role of PGASK_DATABASE_URL; "
        "unset: the primary",
    )
    read_max_lag_s: float = Field(
        5.0, gt=0, le=600, description="A replica further behind the primary than this is not asked"
    )
    host: str = Field("127.0.0.1", description="Address that the service listens on")
    port: int = Field(8000, ge=1, le=65535, description="Port that the service listens on")
    allowed_hosts: str = Field(
        "",
        description="Comma-separated host names that requests may name; unset: those of this machine where PGASK_HOST "
        "is one of them, else any",
    )
    cors_origins: str = Field(
        "",
        description="Comma-separated origins (https://name or http://name:port) whose pages may use the API from a "
        "browser; unset: none but the service's own",
    )

    # who may ask
    auth: Literal["off", "keys", "proxy"] = Field(
        "off",
        description="off: whoever reaches the port, which is this machine alone (see PGASK_OPEN); keys: those that "
        "`pgask keys` made; proxy: users that a proxy in front names",
    )
    open: bool = Field(
        False,
        description="Let PGASK_AUTH=off listen on other addresses than this machine's own, where something else "
        "guards the port",
    )
    trusted_proxies: str = Field(
        "",
        description="Comma-separated addresses or networks (10.0.0.0/8) of proxies whose headers on users and client "
        "addresses are believed",
    )
    proxy_user_header: str = Field(
        "X-Forwarded-User", description="Header in which a trusted proxy names the user"
    )
    proxy_groups_header: str = Field(
        "X-Forwarded-Groups",
        description="Header in which a trusted proxy lists the user's groups, comma-separated; pgask-admins and "
        "pgask-writers give these roles, everybody else reads",
    )
    tenant: str = Field(
        "default",
        description="Whose documents commands, PGASK_AUTH=off and PGASK_AUTH=proxy work with; a key knows its own",
    )
    requests_per_minute: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Most requests a minute of a key, a proxy's user, or with PGASK_AUTH=off an address; 0: no limit",
    )
    conversation_days: int = Field(
        365,
        ge=0,
        le=3_650,
        description="For how many days after their last change the conversations of those who log in are kept; 0: they "
        "stay in the browser",
    )
    feedback_days: int = Field(
        365,
        ge=0,
        le=3_650,
        description="For how many days ratings of answers are kept, with question and answer; 0: none are, and no "
        "reply is kept for a day to be rated",
    )
    audit_days: int = Field(
        90,
        ge=0,
        le=3_650,
        description="For how many days the record of `pgask audit` is kept; 0: none is written",
    )

    # embedding
    embedding_model: str | None = Field(
        None,
        description="english: all-MiniLM-L6-v2; multilingual: multilingual-e5-small (extra `multilingual`); or the "
        "name or folder of a sentence-transformers model; unset: english",
    )
    embedding_device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    embedding_dtype: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto",
        description="auto: bfloat16 where the hardware computes in it, else float32; int8 (extra `openvino-int8`) is "
        "faster and loses a little: its vectors are of another space",
    )
    embedding_runtime: Literal["auto", "torch", "openvino"] = Field(
        "auto",
        description="auto: OpenVINO (extra `openvino`) where it is installed and the device is the CPU, else torch",
    )
    query_prefix: str | None = Field(
        None, description="Text put before each question; unset: what the model's folder names; none: nothing"
    )
    passage_prefix: str | None = Field(
        None, description="Text put before each window; unset: what the model's folder names; none: nothing"
    )

    # ingest
    chunk_tokens: int = Field(512, ge=128, le=1024, description="Most tokens in a chunk")
    overlap: int = Field(64, ge=0, le=256, description="Tokens that a chunk shares with the one before it")
    window_tokens: int = Field(
        128,
        ge=32,
        le=8192,
        description="Most tokens that the encoder is given at once (at most what it reads)",
    )
    max_file_bytes: int = Field(200_000_000, ge=1, description="Larger files are reported as too_large")
    ocr: Literal["auto", "off"] = Field(
        "auto",
        description="auto: pages and pictures without text are read where the extra `ocr` is installed; or off",
    )
    duplicates: Literal["keep_once", "keep_all"] = Field(
        "keep_once", description="keep_once: a document whose text is stored already is left out and says so"
    )
    duplicate_similarity: float = Field(
        0.9, ge=0.8, le=1, description="Least similarity of a near duplicate; 1: the same text only"
    )

    # uploads and their worker
    workers: int = Field(
        1,
        ge=0,
        le=64,
        description="Workers that `pgask serve` runs beside itself to take in what is uploaded; 0: none, "
        "`pgask worker` runs elsewhere",
    )
    max_upload_bytes: int = Field(50_000_000, ge=1, description="Largest file of an upload")
    max_upload_files: int = Field(1_000, ge=1, le=10_000, description="Most files of an upload, and in a zip")
    max_upload_request_bytes: int = Field(
        500_000_000, ge=1, description="Most bytes of the files of an upload together"
    )
    keep_originals: Literal["uploads", "off"] = Field(
        "uploads",
        description="uploads: the files of uploads are kept in the database, for downloads and pictures of their "
        "pages; off: they go once they are taken in",
    )
    originals_quota_bytes: int = Field(
        20_000_000_000, ge=0, description="Most bytes of files kept in the database; 0: no limit"
    )
    job_days: int = Field(
        30, ge=0, le=3_650, description="For how many days jobs that have ended are shown; 0: for ever"
    )

    # retrieval
    candidates: int = Field(
        50, ge=10, le=500, description="Candidates taken from each of dense and lexical search"
    )
    dense_weight: float = Field(
        0.6,
        ge=0,
        le=1,
        description="Weight of the dense score in fusion; the lexical has the rest. 1: words are not searched",
    )
    window_share: float = Field(
        0.67,
        ge=0,
        le=1,
        description="Share of the lexical weight that the best window has; the chunk has the rest",
    )
    bm25_k1: float = Field(1.2, ge=0, le=10, description="BM25 term-frequency saturation")
    bm25_b: float = Field(0.75, ge=0, le=1, description="BM25 length normalisation")
    max_per_document: int = Field(0, ge=0, le=50, description="Most hits from one document; 0: no limit")
    rerank_model: str | None = Field(
        None,
        description="sentence-transformers cross-encoder (name or folder) that reads the best candidates again; "
        "unset: the fused order stands",
    )
    rerank_candidates: int = Field(20, ge=1, le=200, description="Candidates that the reranker reads")
    rerank_timeout_s: float = Field(
        2.0, gt=0, description="Longest time for reranking, after which the fused order stands"
    )
    index_min_rows: int = Field(
        10_000,
        ge=1_000,
        description="Vectors in a space from which a vector index is built; exact search below",
    )
    exact_max_rows: int = Field(
        10_000, ge=0, description="A filter that keeps at most this many rows is searched exactly"
    )
    index_target_recall: float = Field(
        0.95, gt=0, le=1, description="Least recall@10 against exact search of the index"
    )
    index_method: IndexMethod = Field(
        "ivfflat",
        description="Vector index: ivfflat, or hnsw (faster answers, slower builds and writes); `pgask index rebuild` "
        "and the automatic upkeep carry a change out",
    )
    vector_precision: VectorPrecision = Field(
        "full",
        description="Precision of the vector index: full, or half (half its size); carried out in the same way",
    )
    index_check_minutes: float = Field(
        10,
        ge=0,
        description="How often the service looks after its indexes; 0: only ingest and `pgask index` do",
    )
    partition_chunks: int = Field(
        50_000,
        ge=0,
        description="Chunks from which a collection gets vector tables and an index of its own, until it has half as "
        "many; 0: none does",
    )
    keep_question_vectors: int = Field(
        500,
        ge=0,
        le=5_000,
        description="Newest distinct questions a space whose vectors (no words) are kept to measure recall; 0: none",
    )
    statement_timeout_s: float = Field(5.0, gt=0, description="Longest time for one search statement")

    # answers
    abstain_threshold: float = Field(
        0.5, ge=0, le=1, description="Answerability below this gives 'not in the documents'"
    )
    llm_base_url: str | None = Field(
        None,
        description="OpenAI-compatible server, e.g. http://127.0.0.1:8001/v1; several of the same model with commas "
        "between them, at most 16; unset: extractive",
    )
    llm_model: str | None = Field(
        None, description="Model name at that server; unset: the first that it lists"
    )
    llm_api_key: SecretStr | None = Field(None, description="Key for that server, if it wants one")
    llm_context_tokens: int | None = Field(
        None, ge=512, description="Context length; unset: asked of the server, else 4096"
    )
    llm_reasoning_tokens: int = Field(
        2048, ge=0, description="Tokens that a model which reasons may take for that, beside its answer's"
    )
    llm_connect_timeout_s: float = Field(3.0, gt=0, description="Longest wait for a connection")
    llm_first_token_timeout_s: float = Field(15.0, gt=0, description="Longest wait for the first token")
    llm_idle_timeout_s: float = Field(10.0, gt=0, description="Longest wait between two tokens")
    llm_total_timeout_s: float = Field(120.0, gt=0, description="Longest time for one completion")
    llm_rewrite_timeout_s: float = Field(
        5.0, gt=0, description="Longest time for the model to make a follow-up question stand alone"
    )
    llm_concurrency: int = Field(
        8, ge=1, description="Questions that each server of the model answers at once"
    )
    llm_queue: int = Field(
        32,
        ge=0,
        description="Questions that wait for a server of the model; more are answered 429 with Retry-After",
    )
    llm_queue_timeout_s: float = Field(
        10.0, gt=0, description="Longest wait for the model's turn, then 429; the other limits start after it"
    )
    llm_required: bool = Field(
        False, description="Answer 503 where the model fails, instead of extractively with degraded: true"
    )
    answer_cache_hours: int = Field(
        0,
        ge=0,
        le=720,
        description="For how long a model's answer is given again to the same reader's same question, as long as the "
        "passages found for it are the same; 0: each question is generated anew",
    )
    openai_source_list: bool = Field(
        True, description="End answers of /v1/chat/completions with a plain list of their sources"
    )

    # service limits
    max_body_bytes: int = Field(1_000_000, ge=1_000, description="Largest request body")
    request_timeout_s: float = Field(
        10.0,
        gt=0,
        description="Longest time for a request's head to come, and for its body, with a second more for every 10,000 "
        "bytes of that; then 408",
    )
    shutdown_timeout_s: float = Field(
        25.0,
        ge=0,
        le=3_600,
        description="Longest time for answers that are being given when the service is told to end; then 503",
    )
    max_concurrent_asks: int = Field(
        32, ge=1, description="Questions worked on at once, or waiting for it; more are answered 429"
    )
    queue_timeout_s: float = Field(
        5.0, gt=0, description="Longest wait of a question for its turn at the processors; then 429"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged"
    )
    log_questions: bool = Field(False, description="Write the text of questions to the log and to traces")
    tracing: Literal["off", "otlp"] = Field(
        "off",
        description="otlp (extra `otel`): spans of requests, stages, model calls and jobs go to where the standard "
        "OTEL_EXPORTER_OTLP_* variables say",
    )

    @field_validator("home")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, value: str) -> str:
        return ",".join(read_origins(value))

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        return ",".join(read_networks(value))

    @field_validator("proxy_user_header", "proxy_groups_header")
    @classmethod
    def _is_a_header(cls, value: str) -> str:
        return read_header_name(value)

    @property
    def origins(self) -> frozenset[str]:
        """The origins of PGASK_CORS_ORIGINS."""
        return frozenset(filter(None, self.cors_origins.split(",")))

    @field_validator(
        "database_url",
        "owner_database_url",
        "direct_database_url",
        "read_database_url",
        "embedding_model",
        "query_prefix",
        "passage_prefix",
        "rerank_model",
        "llm_base_url",
        "llm_model",
        "llm_api_key",
        "llm_context_tokens",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("database_url", "owner_database_url", "direct_database_url")
    @classmethod
    def _is_a_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (fault := database_fault(value.get_secret_value())):
            raise ValueError(fault)
        return value

    @field_validator("read_database_url")
    @classmethod
    def _are_databases(cls, value: SecretStr | None) -> SecretStr | None:
        for address in split_databases(value.get_secret_value()) if value is not None else ():
            if fault := database_fault(address):
                raise ValueError(fault)
        return value

    @field_validator("llm_base_url")
    @classmethod
    def _is_a_server(cls, value: str | None) -> str | None:
        if value is not None:
            read_servers(value)
        return value

    @model_validator(mode="after")
    def _what_belongs_together_is_there(self) -> Self:
        if self.auth == "proxy" and not self.trusted_proxies:
            raise ValueError(
                "PGASK_AUTH=proxy needs PGASK_TRUSTED_PROXIES, the addresses of the proxy whose headers are believed"
            )
        for name in ("direct_database_url", "read_database_url"):
            if getattr(self, name) is not None and self.database_url is None:
                raise ValueError(f"PGASK_{name.upper()} needs PGASK_DATABASE_URL, the primary")
        if self.llm_required and self.llm_base_url is None:
            raise ValueError("PGASK_LLM_REQUIRED needs PGASK_LLM_BASE_URL, the address of the model's server")
        return self


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `overrides` (from the command line) win over the environment and `.env`.

    Raises ConfigError naming the setting, the value's fault and nothing secret.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(_fault(fault["loc"], fault["msg"]) for fault in error.errors())
        raise ConfigError(
            f"Wrong setting: {faults}. See .env.example for every setting and its range."
        ) from None


def _fault(location: tuple[int | str, ...], message: str) -> str:
    """What is wrong with a setting; a fault of several together names them itself."""
    message = message.removeprefix("Value error, ")
    name = f"PGASK_{'_'.join(map(str, location)).upper()}"
    return (
        message
        if not location
        else f"{name} {message}"
        if message.startswith("is ")
        else f"{name}: {message}"
    )
