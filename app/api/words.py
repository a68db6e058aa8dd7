"""The words of problem documents by code: titles in English and Chinese, details and faults of fields in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "invalid_request": ("The request is not valid", "请求无效"),
    "bad_request": ("The request can't be read", "无法读取请求"),
    "limit_exceeded": ("A limit is exceeded", "超出限制"),
    "prompt_too_large": ("The question is too long for the model", "问题超出模型的长度"),
    "body_too_large": ("The request is too large", "请求过大"),
    "unsupported_media_type": ("JSON is expected", "需要 JSON"),
    "not_found": ("Not found", "未找到"),
    "method_not_allowed": ("Method not allowed", "不支持该方法"),
    "bad_host": ("Wrong host", "主机名不符"),
    "collection_exists": ("The collection exists already", "集合已存在"),
    "embedding_mismatch": ("The embedding model does not fit the stored vectors", "嵌入模型与已存向量不一致"),
    "too_many_requests": ("Too many questions at once", "同时提问过多"),
    "config_error": ("The service is set up wrongly", "服务配置有误"),
    "store_error": ("The database refuses", "数据库拒绝请求"),
    "store_unavailable": ("The database can't be reached", "无法连接数据库"),
    "statement_timeout": ("The search took too long", "检索超时"),
    "schema_mismatch": ("The database schema does not fit", "数据库结构版本不符"),
    "generation_failed": ("The language model failed", "语言模型出错"),
    "llm_unavailable": ("The language model can't be reached", "无法连接语言模型"),
    "llm_timeout": ("The language model takes too long", "语言模型超时"),
    "llm_busy": ("The language model is busy", "语言模型繁忙"),
    "llm_request_refused": ("The language model refused the request", "语言模型拒绝了请求"),
    "web_not_built": ("The chat page is not built", "聊天页面尚未构建"),
    "not_ready": ("Not ready", "尚未就绪"),
    "internal_error": ("Internal error", "内部错误"),
}

# For errors whose English sentence names what happened; a code that is missing here keeps that sentence.
DETAILS_ZH: Final[Mapping[str, str]] = {
    "bad_request": "无法将请求内容解析为 JSON。",
    "body_too_large": "请求内容超过 PGASK_MAX_BODY_BYTES 允许的大小。",
    "unsupported_media_type": "请以 JSON 发送内容，并设置 Content-Type: application/json。",
    "not_found": "没有找到所请求的集合、文档或地址。GET /collections 与 GET /documents 可列出现有内容。",
    "method_not_allowed": "该地址不支持这种请求方法。",
    "bad_host": "请求的主机名不是本服务的地址。请使用 localhost 或 127.0.0.1 访问。",
    "collection_exists": "同名集合已存在。请换一个名称，或直接使用该集合。",
    "too_many_requests": "正在处理的问题过多，请稍后重试。",
    "config_error": "服务的某项设置有误，运行 pgask doctor 可查看详情。",
    "store_error": "数据库拒绝了请求，运行 pgask doctor 可查看原因。",
    "store_unavailable": "暂时无法连接数据库，请几秒后重试。",
    "statement_timeout": "检索超过了时间限制，请缩小问题或筛选范围后重试。",
    "llm_unavailable": "暂时无法连接语言模型，请稍后重试。",
    "llm_timeout": "语言模型响应过慢，请稍后重试。",
    "llm_busy": "等待语言模型的问题过多，请稍后重试。",
    "llm_request_refused": "语言模型未接受该请求，请缩短问题或更换模型。",
    "web_not_built": "聊天页面尚未构建，请运行 make web。",
    "internal_error": "服务内部出错，日志中可按 request_id 查看详情。",
}

# pydantic's types of faults; the names in braces are those of its `ctx`.
FAULTS_ZH: Final[Mapping[str, str]] = {
    "missing": "缺少该字段",
    "extra_forbidden": "不支持该字段",
    "string_type": "应为字符串",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "至多 {max_length} 个字符",
    "string_unicode": "包含无效字符",
    "too_long": "至多 {max_length} 项",
    "too_short": "至少 {min_length} 项",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "finite_number": "应为有限的数",
    "bool_parsing": "应为 true 或 false",
    "bool_type": "应为 true 或 false",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than_equal": "不得大于 {le}",
    "literal_error": "不是允许的取值",
    "dict_type": "应为对象",
    "model_attributes_type": "应为对象",
    "list_type": "应为数组",
    "filter_form": "应为 source_prefix 与 metadata，或 all、any、not 之一，或 field 与 op（equal、in、range 等）",
    "value_error": "内容不合要求（为空、含无效字符或超出限制）",
}
