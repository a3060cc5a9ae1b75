package capture

import (
	"slices"
	"sync"
)

var openAICompatibleChat1 = sync.OnceValue(func() *table {
	return &table{
		api: "openai-compatible-chat", number: 1, kind: "inference",
		title: "chat completions of all others that speak like OpenAI: vLLM, SGLang, llama.cpp, LiteLLM, Ollama",
		about: []string{
			"Reads the body of `POST .../chat/completions` of servers that speak like OpenAI. A server may pass any member on to the model, and to a chat template null and an empty list are not the absence of a member. So null is nowhere absent, nor is an empty list, and fewer members are out than for OpenAI.",
			"What a server takes from its own configuration (a chat template, a generation configuration, default limits) is not in the request.",
			"A path may name the model or the resource that runs, as behind a proxy: `/v1/ACCOUNT/GATEWAY/azure-openai/RESOURCE/DEPLOYMENT/chat/completions` of Cloudflare. Such a path is an error, since servers may take the model from it. Vertex takes it from the body; its location is `constraints.location`.",
		},
		paths: []path{
			{".../chat/completions", nil},
			{"/v1/projects/*/locations/{location}/endpoints/openapi/chat/completions", nil},
			{"/v1beta1/projects/*/locations/{location}/endpoints/openapi/chat/completions", nil},
		},
		toolNames: chatToolNames,
		body: &shape{members: slices.Concat(
			[]member{
				{name: "model", to: toModel, required: true},
				{name: "messages", to: toMessages, required: true, value: list(compatibleMessage())},
				{name: "tools", to: toTools, value: list(chatTool())},
				{name: "functions", to: toTools, value: list(chatFunction())},
			},
			all(toParameters, "add_generation_prompt", "add_special_tokens", "chat_template", "continue_final_message", "echo", "frequency_penalty", "ignore_eos",
				"include_reasoning", "include_stop_str_in_output", "length_penalty", "logprobs", "max_completion_tokens", "max_tokens", "min_p", "min_tokens", "n",
				"parallel_tool_calls", "presence_penalty", "prompt_logprobs", "reasoning_effort", "repetition_penalty", "seed", "skip_special_tokens",
				"spaces_between_special_tokens", "temperature", "thinking_token_budget", "top_k", "top_logprobs", "top_p", "truncate_prompt_tokens", "truncation_side",
				"use_beam_search", "verbosity"),
			[]member{
				{name: "allowed_token_ids", value: list(value)},
				{name: "audio", value: object(is("format", value), is("voice", object(open(is("id", value), "content"))))},
				{name: "bad_words", value: list(value)},
				{name: "chat_template_kwargs", value: textValue},
				{name: "documents", value: textValue},
				{name: "function_call", value: object(plain("name")...)},
				{name: "logit_bias", value: freeValue},
				{name: "media_io_kwargs", value: textValue},
				{name: "metadata", value: &shape{free: true, text: true, secrets: unknownSecrets}},
				{name: "mm_processor_kwargs", value: textValue},
				{name: "modalities", value: list(value)},
				{name: "prediction", value: object(is("type", value), is("content", &shape{elements: chatPart()}))},
				{name: "response_format", value: chatFormat()},
				{name: "stop", value: list(value)},
				{name: "stop_token_ids", value: list(value)},
				{name: "structured_outputs", value: textValue},
				{name: "tool_choice", value: chatToolChoice()},
				{name: "web_search_options", value: webSearchOptions()},
				{name: "store", to: toConstraints},
				leftOut("cache_prompt", "caching"),
				leftOut("cache_salt", "caching"),
				leftOut("priority", "speed"),
				leftOut("request_id", "bookkeeping"),
				leftOut("return_progress", "transport"),
				leftOut("return_token_ids", "transport"),
				leftOut("return_tokens_as_token_ids", "transport"),
				leftOut("stream", "transport"),
				leftOut("stream_options", "transport"),
				leftOut("timings_per_token", "transport"),
				leftOut("user", "bookkeeping"),
			})},
	}
})

var compatibleMessage = sync.OnceValue(func() *shape {
	return &shape{title: "a message", members: slices.Concat(chatMessage().members, plain("reasoning", "reasoning_content"))}
})
