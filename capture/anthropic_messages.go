package capture

import (
	"slices"
	"sync"
)

var anthropicMessages1 = sync.OnceValue(func() *table {
	return &table{
		api: "anthropic-messages", number: 1, kind: "inference",
		title: "Anthropic messages",
		about: []string{
			"Reads the body of `POST /v1/messages` of Anthropic. Counting tokens runs nothing, and its path is not one of these. Vertex and Bedrock have other paths and members; they are not of this format.",
			"`temperature`, `top_p` and `top_k`, and `output_format` beside `output_config.format`, are each what they are called: a request that says it the old way is another run. Signatures and encrypted content stay as they are.",
			"`thread` of the type `continue` says that the system prompt, tools and messages of earlier calls are used, of which the request holds none. So the absence of tools means nothing then.",
		},
		provider: "anthropic", providers: []string{"anthropic"},
		paths: []path{{"/v1/messages", nil}},
		headers: []named{
			{name: "anthropic-version", want: true},
			{name: "anthropic-beta", set: true, drop: []string{"oauth-2025-04-20"}, known: []string{
				"advanced-tool-use-2025-11-20", "code-execution-2025-05-22", "code-execution-2025-08-25", "computer-use-2024-10-22", "computer-use-2025-01-24",
				"computer-use-2025-11-24", "context-1m-2025-08-07", "context-management-2025-06-27", "effort-2025-11-24", "extended-cache-ttl-2025-04-11",
				"files-api-2025-04-14", "fine-grained-tool-streaming-2025-05-14", "interleaved-thinking-2025-05-14", "mcp-client-2025-04-04", "mcp-client-2025-11-20",
				"message-threads-2026-08-12", "output-128k-2025-02-19", "pdfs-2024-09-25", "prompt-caching-2024-07-31", "skills-2025-10-02",
				"structured-outputs-2025-11-13", "token-efficient-tools-2025-02-19"}},
		},
		nulls:     true,
		toolNames: [][]string{{"name"}},
		body: &shape{members: slices.Concat(
			[]member{
				{name: "model", to: toModel, required: true},
				{name: "messages", to: toMessages, required: true, value: list(anthropicMessage())},
				{name: "system", to: toMessage, value: &shape{elements: anthropicBlock()}},
				{name: "tools", to: toTools, empty: true, value: list(anthropicTool())},
				{name: "mcp_servers", to: toTools, hides: "tools", value: list(anthropicServer())},
			},
			all(toParameters, "max_tokens", "speed", "temperature", "top_k", "top_p"),
			[]member{
				{name: "compaction", value: object(plain("type", "instructions", "trigger", "pause_after_compaction")...)},
				{name: "container", hides: "system, tools, content", value: object(is("id", value),
					is("skills", list(object(plain("type", "skill_id", "version")...))))},
				{name: "context_management", value: object(is("edits", list(anthropicEdit())))},
				{name: "fallbacks", value: &shape{names: "model", elements: object(is("model", value), is("max_tokens", value), is("speed", value),
					is("thinking", anthropicThinking()), is("output_config", anthropicOutput()))}},
				{name: "output_config", value: anthropicOutput()},
				{name: "output_format", value: anthropicFormat()},
				{name: "stop_sequences", value: list(value)},
				{name: "thinking", value: anthropicThinking()},
				{name: "thread", value: &shape{title: "a thread", by: "type", what: "thread", members: plain("type"), variants: []variant{
					{name: "create"}, {name: "continue", members: plain("previous_message_id"), hides: "messages, system, tools"}}}},
				{name: "tool_choice", value: object(plain("type", "name", "disable_parallel_tool_use")...)},
				{name: "inference_geo", to: toConstraints},
				leftOut("billing_policy", "bookkeeping"),
				leftOut("cache_control", "caching"),
				leftOut("diagnostics", "bookkeeping"),
				leftOut("fallback_credit_token", "a credential"),
				leftOut("metadata", "bookkeeping"),
				leftOut("service_tier", "speed and price"),
				leftOut("stream", "transport"),
			})},
	}
})

var (
	anthropicThinking = sync.OnceValue(func() *shape { return object(plain("type", "budget_tokens", "display", "block_binding")...) })
	anthropicFormat   = sync.OnceValue(func() *shape { return object(is("type", value), is("schema", textValue)) })
	anthropicOutput   = sync.OnceValue(func() *shape {
		return object(is("effort", value), is("format", anthropicFormat()), is("task_budget", object(plain("type", "total", "remaining")...)))
	})

	anthropicAmount = sync.OnceValue(func() *shape { return object(plain("type", "value")...) })
	anthropicEdit   = sync.OnceValue(func() *shape {
		return &shape{title: "an edit of the context", members: []member{is("type", value), is("instructions", value), is("trigger", anthropicAmount()),
			is("keep", anthropicAmount()), is("clear_at_least", anthropicAmount()), is("clear_tool_inputs", list(value)), is("exclude_tools", list(value)),
			is("pause_after_compaction", value)}}
	})

	anthropicMessage = sync.OnceValue(func() *shape {
		return &shape{title: "a message", members: []member{
			{name: "role", to: stays, required: true},
			is("content", &shape{elements: anthropicBlock()}),
			is("clear_at", value), is("output_config", anthropicOutput()),
		}}
	})

	anthropicBlock = sync.OnceValue(func() *shape { return &shape{title: "a block", by: "type", what: "block"} })

	anthropicServer = sync.OnceValue(func() *shape {
		return &shape{title: "an MCP server", text: true, secrets: toolSecrets, members: []member{
			is("type", value), is("name", value), is("url", &shape{address: serverURL}), is("authorization_token", &shape{secret: true}),
			is("tool_configuration", object(is("enabled", value), is("allowed_tools", list(value))))}}
	})

	anthropicTool = sync.OnceValue(func() *shape {
		return &shape{title: "a tool", text: true, secrets: toolSecrets, by: "type", what: "tool",
			members:  []member{is("type", value), is("name", value), leftOut("cache_control", "caching"), is("allowed_callers", list(value)), is("defer_loading", value), is("strict", value), is("input_examples", textValue)},
			variants: anthropicTools()}
	})
)

// anthropicSource is where a block's content is: role is that of its bytes.
func anthropicSource(role, title string) *shape {
	return &shape{title: title, by: "type", what: "source", members: plain("type"), variants: []variant{
		{name: "base64", members: []member{is("media_type", value), is("data", &shape{bytes: base64Standard, role: role, media: "media_type"})}},
		{name: "url", members: []member{is("url", &shape{address: remote})}},
		{name: "file", members: []member{open(is("file_id", value), "content")}},
		{name: "text", members: plain("media_type", "data")},
		{name: "content", members: []member{is("content", &shape{elements: anthropicBlock()})}},
	}}
}

// completeAnthropic gives blocks their members, since blocks hold blocks.
func completeAnthropic() {
	blocks := &shape{elements: anthropicBlock()}
	result := []member{is("tool_use_id", value), is("content", textValue), is("is_error", value), is("caller", textValue)}
	use := []member{is("id", value), is("name", value), is("input", textValue), is("caller", textValue), is("server_name", value), is("toolset_name", value)}
	anthropicBlock().members = []member{is("type", value), leftOut("cache_control", "caching")}
	anthropicBlock().variants = []variant{
		{name: "text", members: []member{is("text", value), is("citations", textValue)}},
		{name: "image", members: []member{is("source", anthropicSource("image", "the source of an image")), is("transformations", textValue)}},
		{name: "document", members: []member{is("source", anthropicSource("document", "the source of a document")), is("title", value), is("context", value),
			is("citations", object(is("enabled", value)))}},
		{name: "search_result", members: []member{is("source", value), is("title", value), is("content", blocks), is("citations", object(is("enabled", value)))}},
		{name: "thinking", members: plain("thinking", "signature")},
		{name: "redacted_thinking", members: plain("data")},
		{name: "tool_use", members: use},
		{name: "server_tool_use", members: use},
		{name: "mcp_tool_use", members: use},
		{name: "tool_result", members: []member{is("tool_use_id", value), is("content", blocks), is("is_error", value), is("toolset_name", value)}},
		{name: "mcp_tool_result", members: []member{is("tool_use_id", value), is("content", blocks), is("is_error", value)}},
		{name: "tool_reference", members: plain("tool_name")},
		{name: "container_upload", members: []member{open(is("file_id", value), "content")}},
		{name: "tool_addition", members: []member{is("tool", object(is("type", value), is("name", value), is("definition", anthropicTool())))}},
		{name: "tool_removal", members: []member{is("tool", object(plain("type", "name")...))}},
		{name: "compaction", members: []member{is("content", blocks), is("encrypted_content", value)}},
	}
	for _, name := range []string{"web_search", "web_fetch", "code_execution", "bash_code_execution", "text_editor_code_execution", "tool_search", "advisor"} {
		anthropicBlock().variants = append(anthropicBlock().variants, variant{name: name + "_tool_result", members: result})
	}
}

// anthropicTools are the tools by their types; one without a type is the user's own.
func anthropicTools() []variant {
	own := []member{is("description", value), is("input_schema", textValue), is("eager_input_streaming", value)}
	search := []member{is("max_uses", value), is("allowed_domains", list(value)), is("blocked_domains", list(value)),
		is("user_location", object(plain("type", "city", "country", "region", "timezone")...)), is("citations", object(is("enabled", value))), is("max_content_tokens", value)}
	computer := plain("display_width_px", "display_height_px", "display_number", "enable_zoom")
	l := []variant{
		{name: "", members: own},
		{name: "custom", members: own},
		{name: "mcp_toolset", members: []member{is("mcp_server_name", value), is("default_config", object(plain("enabled", "defer_loading")...)), is("configs", textValue)}},
	}
	for _, t := range []struct {
		names   []string
		members []member
	}{
		{[]string{"web_search_20250305", "web_search_20260209", "web_search_20260318", "web_fetch_20250910", "web_fetch_20260209"}, search},
		{[]string{"computer_20241022", "computer_20250124", "computer_20251124"}, computer},
		{[]string{"text_editor_20241022", "text_editor_20250124", "text_editor_20250429", "text_editor_20250728"}, plain("max_characters")},
		{[]string{"bash_20241022", "bash_20250124", "code_execution_20250522", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521",
			"memory_20250818", "tool_search_tool_bm25_20251119", "tool_search_tool_regex_20251119"}, nil},
	} {
		for _, name := range t.names {
			l = append(l, variant{name: name, members: t.members})
		}
	}
	return l
}
