// Why the language model didn't answer, by the code that the service sends, and what to do.

type Failures = ReadonlyMap<string, string>; // a code such as "constructor" is none

/** For any other code. */
export const failedEn = "The language model failed. Ask again.";
export const failedZh = "语言模型出错。请重新提问。";

export const failuresEn: Failures = new Map(Object.entries({
  llm_unavailable: "The language model can't be reached, or answers with an error. Check that its server runs, and PGASK_LLM_BASE_URL.",
  llm_timeout: "The language model takes too long. Ask again later, or use a faster model.",
  llm_request_refused: "The language model refused the request. Shorten the question, or use another model.",
  prompt_too_large: "The question and its sources are too long for the model. Shorten the question, or use a model with a longer context.",
}));

export const failuresZh: Failures = new Map(Object.entries({
  llm_unavailable: "无法连接语言模型，或模型返回了错误。请检查模型服务是否在运行，以及 PGASK_LLM_BASE_URL 的设置。",
  llm_timeout: "语言模型响应过慢。请稍后再问，或换用更快的模型。",
  llm_request_refused: "语言模型未接受该请求。请缩短问题，或换用其他模型。",
  prompt_too_large: "问题及其来源超出了模型的长度。请缩短问题，或换用上下文更长的模型。",
}));
