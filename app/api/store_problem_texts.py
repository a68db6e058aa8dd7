"""What clients are told of a database that refuses, by code, in English and Chinese; docs/errors.md has the same words.

Its own words (addresses, roles, settings) are for the operator: app/sqlstates.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STORE_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "store_error": (
        "The database refuses. `pgask doctor` tells why.",
        "数据库拒绝了请求，运行 pgask doctor 可查看原因。",
    ),
    "store_unavailable": (
        "The database can't be reached just now. Try again in a few seconds.",
        "暂时无法连接数据库，请几秒后重试。",
    ),
    "database_busy": (
        "All connections to the database are in use. Try again in a few seconds.",
        "数据库连接都在使用中，请几秒后重试。",
    ),
    "too_many_connections": (
        "The database takes no more connections. Try again later, or raise its max_connections or the role's limit.",
        "数据库连接数已满，请稍后重试，或调高 max_connections 或该角色的连接上限。",
    ),
    "statement_timeout": (
        "The database took longer than PGASK_STATEMENT_TIMEOUT_S or its own statement_timeout allows. Narrow the "
        "question or the filter, or raise the setting.",
        "数据库用时超过了 PGASK_STATEMENT_TIMEOUT_S 或其自身 statement_timeout 的限制，请缩小问题或筛选范围，"
        "或调高该设置。",
    ),
    "lock_timeout": (
        "Another session holds a lock that this needs. Try again in a few seconds; pg_locks shows who has it.",
        "所需的锁被其他会话占用，请几秒后重试；可在 pg_locks 中查看占用者。",
    ),
    "deadlock": (
        "Another session wanted the same rows in another order, and the database ended this one. Try again.",
        "另一会话以不同顺序锁定了同一批数据，数据库中止了本次操作，请重试。",
    ),
    "write_conflict": (
        "Another session changed the same rows at the same time. Try again.",
        "另一会话同时修改了同一批数据，请重试。",
    ),
    "disk_full": (
        "The database's disk is full. Free some space and try again.",
        "数据库所在的磁盘已满，请释放空间后重试。",
    ),
    "database_out_of_memory": (
        "The database is out of memory. Give its server more, or lower its work_mem, and try again.",
        "数据库内存不足，请增加服务器内存或调低 work_mem 后重试。",
    ),
    "database_limit": (
        "The database has reached a limit of its own. Its log tells which; raise it and try again.",
        "数据库达到了自身的某项上限，请查看其日志，调高后重试。",
    ),
    "database_read_only": (
        "The database takes no writes: it is a standby, or default_transaction_read_only is on. Name the primary "
        "in PGASK_DATABASE_URL, or turn that off.",
        "数据库只读：它是备库，或开启了 default_transaction_read_only。请在 PGASK_DATABASE_URL 中填写主库，"
        "或关闭该选项。",
    ),
    "missing_privilege": (
        "The database role lacks a right. Run pgask migrate as the schema's owner, which grants it, or grant it "
        "by hand.",
        "数据库角色缺少权限，请以表结构所有者的身份运行 pgask migrate 来授权，或手工授权。",
    ),
    "transaction_pooler": (
        "A pooler in transaction mode stands before the database. Name the server itself in "
        "PGASK_DIRECT_DATABASE_URL, for what keeps sessions, or set pool_mode to session.",
        "数据库前面的连接池处于事务模式，请在 PGASK_DIRECT_DATABASE_URL 中直接填写数据库服务器，"
        "供需要保持会话的部分使用，或将 pool_mode 设为 session。",
    ),
    "data_corrupted": (
        "The database found damaged data. Its log tells where; restore a backup.",
        "数据库发现数据损坏，请查看其日志并恢复备份。",
    ),
    "database_fault": (
        "The database reports a fault of its own or of its disk. Its log tells more.",
        "数据库报告了自身或磁盘的故障，请查看其日志。",
    ),
}
