package capture

import (
	"slices"
	"sync"
)

var openAIResponses1 = sync.OnceValue(func() *table {
	return &table{
		api: "openai-responses", number: 1, kind: "inference",
		title: "OpenAI responses, of OpenAI and Azure",
		about: []string{
			"Reads the body of `POST /v1/responses` of OpenAI and of Azure. Counting input tokens runs nothing, compacting is another call, and a WebSocket is not a body; they are not of this format.",
			"A stored prompt may name the model: a body with one needs no `model`, and then the model is the prompt's, which is open.",
			"A message with `type` and one without are two runs. So are `instructions` and a message that says the same, and an `input` that is a string and one that is a list.",
			"An item of an answer that is sent back as an SDK holds it has the members `parsed` and `parsed_arguments`, which the SDK alone knows; they stay, as text.",
		},
		provider: "openai", providers: []string{"openai", "azure", "azure:*"},
		paths: []path{
			{"/v1/responses", nil},
			{"/responses", nil},
			{"/openai/v1/responses", []string{"azure", "azure:*"}},
			{"/openai/responses", []string{"azure", "azure:*"}},
		},
		headers:   []named{{name: "openai-beta"}, {name: "x-ms-oai-image-generation-deployment"}},
		query:     []named{{name: "api-version"}},
		nulls:     true,
		standIn:   "prompt",
		toolNames: [][]string{{"name"}, {"server_label"}},
		body: &shape{members: slices.Concat(
			[]member{
				{name: "model", to: toModel, required: true},
				{name: "input", to: toMessages, value: list(responsesMessage()), items: responsesItem()},
				{name: "instructions", to: toMessage},
				{name: "tools", to: toTools, empty: true, value: list(responsesTool())},
			},
			all(toParameters, "max_output_tokens", "parallel_tool_calls", "temperature", "top_logprobs", "top_p", "truncation"),
			[]member{
				{name: "context_management", value: list(object(plain("type", "compact_threshold")...))},
				{name: "conversation", hides: "messages", value: object(plain("id")...)},
				{name: "image", value: object(plain("context_compression")...)},
				{name: "include", empty: true, value: list(value)},
				{name: "previous_response_id", hides: "messages"},
				{name: "prompt", hides: "messages, system, tools, model", value: object(is("id", value), is("version", value),
					is("variables", &shape{free: true, elements: responsesPart()}))},
				{name: "prompt_cache_options", vanishes: true, value: object(
					is("prewarm", value), leftOut("mode", "caching"), leftOut("ttl", "caching"), leftOut("comparison_response_id", "caching"))},
				{name: "reasoning", value: responsesReasoning()},
				{name: "text", empty: true, value: object(is("verbosity", value), is("format", object(is("type", value), is("name", value), is("description", value),
					is("strict", value), is("schema", textValue))))},
				{name: "tool_choice", value: object(is("type", value), is("name", value), is("mode", value), is("server_label", value),
					is("tools", list(object(plain("type", "name", "server_label")...))))},
				{name: "access_programs", to: toConstraints, value: object(plain("cyber")...)},
				{name: "max_tool_calls", to: toConstraints},
				{name: "moderation", to: toConstraints, value: moderation()},
				{name: "store", to: toConstraints},
				leftOut("background", "transport"),
				leftOut("background_options", "transport"),
				leftOut("metadata", "bookkeeping"),
				leftOut("prompt_cache_key", "caching"),
				leftOut("prompt_cache_retention", "caching"),
				leftOut("safety_identifier", "bookkeeping"),
				leftOut("service_tier", "speed and price"),
				leftOut("stream", "transport"),
				leftOut("stream_options", "transport"),
				leftOut("user", "bookkeeping"),
			})},
	}
})

var (
	responsesReasoning = sync.OnceValue(func() *shape { return object(plain("context", "effort", "generate_summary", "mode", "summary")...) })

	responsesImage = sync.OnceValue(func() []member {
		return []member{is("image_url", chatURL()), open(is("file_id", value), "content"), is("detail", value)}
	})

	responsesPart = sync.OnceValue(func() *shape {
		return &shape{title: "a part of content", by: "type", what: "part",
			members: []member{is("type", value), leftOut("prompt_cache_breakpoint", "caching")},
			variants: []variant{
				{name: "input_text", members: plain("text")},
				{name: "input_image", members: responsesImage()},
				{name: "input_file", members: []member{is("file_data", &shape{bytes: dataURL | base64Standard, role: "document"}), is("filename", value),
					open(is("file_id", value), "content"), is("file_url", &shape{address: remote}), is("detail", value)}},
				{name: "input_audio", members: []member{is("input_audio", object(is("data", &shape{bytes: dataURL | base64Standard, role: "other"}), is("format", value)))}},
				{name: "computer_screenshot", members: responsesImage()},
				{name: "output_text", members: []member{is("text", value), is("annotations", textValue), is("logprobs", textValue), is("parsed", textValue)}},
				{name: "refusal", members: plain("refusal")},
				{name: "reasoning_text", members: plain("text")},
				{name: "summary_text", members: plain("text")},
			}}
	})
	responsesParts = sync.OnceValue(func() *shape { return &shape{elements: responsesPart()} })

	responsesMessage = sync.OnceValue(func() *shape {
		return &shape{title: "a message", members: []member{
			{name: "role", to: stays, required: true},
			is("type", value), is("content", responsesParts()), is("id", value), is("status", value), is("phase", value)}}
	})

	responsesNetwork = sync.OnceValue(func() *shape {
		return object(is("type", value), is("allowed_domains", list(value)),
			is("domain_secrets", list(object(is("domain", value), is("name", value), is("value", &shape{secret: true})))))
	})
	responsesFiles = sync.OnceValue(func() member { return open(is("file_ids", list(value)), "content") })

	responsesTool = sync.OnceValue(func() *shape {
		return &shape{title: "a tool", text: true, secrets: toolSecrets, by: "type", what: "tool", members: []member{
			is("type", value), is("name", value), is("description", value), is("defer_loading", value), is("allowed_callers", list(value))}}
	})

	responsesItem = sync.OnceValue(func() *shape {
		return &shape{title: "an item", by: "type", what: "item", members: plain("type", "id", "status")}
	})
)

// completeResponsesTools gives tools their members, since tools hold tools.
func completeResponsesTools() {
	location := object(plain("type", "city", "country", "region", "timezone")...)
	search := []member{is("search_context_size", value), is("search_content_types", list(value)), is("user_location", location),
		is("filters", object(is("allowed_domains", list(value)), is("blocked_domains", list(value))))}
	computer := plain("display_width", "display_height", "environment")
	skill := object(is("type", value), open(is("skill_id", value), "system, tools, content"), is("version", value), is("name", value), is("description", value),
		is("source", object(is("type", value), is("media_type", value), is("data", &shape{bytes: base64Standard, role: "code", media: "media_type"}))))
	container := &shape{names: "content", members: []member{is("type", value), is("memory_limit", value), is("network_policy", responsesNetwork()), responsesFiles()}}
	responsesTool().variants = []variant{
		{name: "function", members: []member{is("parameters", textValue), is("output_schema", textValue), is("strict", value), is("async", value)}},
		{name: "custom", members: []member{is("format", textValue)}},
		{name: "namespace", members: []member{is("tools", list(responsesTool()))}},
		{name: "mcp", members: []member{is("server_label", value), is("server_description", value), is("server_url", &shape{address: serverURL}),
			open(is("connector_id", value), "tools"), open(is("tunnel_id", value), "tools"), is("authorization", &shape{secret: true}), is("headers", toolPart),
			is("allowed_tools", textValue), is("require_approval", textValue)}, hides: "tools"},
		{name: "file_search", members: []member{open(is("vector_store_ids", list(value)), "content"), is("filters", textValue), is("max_num_results", value), is("ranking_options", textValue)}},
		{name: "web_search", members: search}, {name: "web_search_preview", members: search},
		{name: "computer", members: computer}, {name: "computer_use_preview", members: computer},
		{name: "code_interpreter", members: []member{is("container", container)}},
		{name: "image_generation", members: append(plain("action", "background", "input_fidelity", "model", "moderation", "output_compression", "output_format",
			"partial_images", "quality", "size"), is("input_image_mask", &shape{members: responsesImage()}))},
		{name: "shell", members: []member{is("environment", object(is("type", value), open(is("container_id", value), "content"), is("memory_limit", value),
			is("network_policy", responsesNetwork()), responsesFiles(), is("skills", list(skill))))}},
		{name: "local_shell"}, {name: "apply_patch"}, {name: "programmatic_tool_calling"},
		{name: "tool_search", members: []member{is("execution", value), is("parameters", textValue)}},
	}
}

// completeResponsesItems gives items their members, since some hold tools.
func completeResponsesItems() {
	call := []member{is("call_id", value), is("name", value), is("namespace", value), is("caller", textValue)}
	shellAction := object(is("type", value), is("command", list(value)), is("env", &shape{free: true, elements: &shape{secret: true}}), is("timeout_ms", value),
		is("user", value), is("working_directory", value))
	tools := is("tools", list(responsesTool()))
	output := []member{is("call_id", value), is("output", responsesParts()), is("caller", textValue)}
	server := []member{is("server_label", value), is("name", value), is("arguments", textValue)}
	responsesItem().variants = []variant{
		{name: "", hides: "messages"},
		{name: "function_call", members: slices.Concat(call, []member{is("arguments", textValue), is("parsed_arguments", textValue)})},
		{name: "function_call_output", members: output},
		{name: "custom_tool_call", members: slices.Concat(call, []member{is("input", textValue)})},
		{name: "custom_tool_call_output", members: output},
		{name: "reasoning", members: []member{is("summary", responsesParts()), is("content", responsesParts()), is("encrypted_content", value)}},
		{name: "item_reference", hides: "messages"},
		{name: "additional_tools", members: []member{is("role", value), tools}},
		{name: "configuration_update", members: []member{is("reasoning", responsesReasoning())}},
		{name: "compaction", members: plain("encrypted_content")},
		{name: "compaction_trigger"},
		{name: "web_search_call", members: []member{is("action", textValue)}},
		{name: "file_search_call", members: []member{is("queries", list(value)), is("results", textValue)}},
		{name: "code_interpreter_call", members: []member{is("code", value), open(is("container_id", value), "content"), is("outputs", textValue)}},
		{name: "image_generation_call", members: []member{is("result", &shape{bytes: base64Standard, role: "image"})}},
		{name: "local_shell_call", members: []member{is("call_id", value), is("action", shellAction)}},
		{name: "local_shell_call_output", members: output},
		{name: "shell_call", members: slices.Concat(call, []member{is("action", textValue)})},
		{name: "shell_call_output", members: []member{is("call_id", value), is("output", textValue), is("max_output_length", value)}},
		{name: "apply_patch_call", members: slices.Concat(call, []member{is("operation", textValue)})},
		{name: "apply_patch_call_output", members: output},
		{name: "computer_call", members: []member{is("call_id", value), is("action", textValue), is("actions", textValue), is("pending_safety_checks", textValue)}},
		{name: "computer_call_output", members: []member{is("call_id", value), is("output", responsesPart()), is("acknowledged_safety_checks", textValue)}},
		{name: "mcp_list_tools", members: []member{is("server_label", value), is("tools", list(toolPart)), is("error", textValue)}},
		{name: "mcp_approval_request", members: server},
		{name: "mcp_approval_response", members: plain("approval_request_id", "approve", "reason")},
		{name: "mcp_call", members: slices.Concat(server, []member{is("output", textValue), is("error", textValue), is("approval_request_id", value)})},
		{name: "tool_search_call", members: []member{is("call_id", value), is("execution", value), is("arguments", textValue)}},
		{name: "tool_search_output", members: []member{is("call_id", value), is("execution", value), tools}},
	}
}
