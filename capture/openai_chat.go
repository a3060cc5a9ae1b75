package capture

import (
	"slices"
	"sync"
)

var openAIChat1 = sync.OnceValue(func() *table {
	return &table{
		api: "openai-chat", number: 1, kind: "inference",
		title: "OpenAI chat completions, of OpenAI and Azure",
		about: []string{
			"Reads the body of `POST /v1/chat/completions` of OpenAI and of Azure. Servers of others that speak like it read other members besides: they have the format `openai-compatible-chat`.",
			"An assistant's message that is sent back as an SDK holds it has the members `parsed` and `parsed_arguments`, which the SDK alone knows; they stay, as text.",
		},
		provider: "openai", providers: []string{"openai", "azure", "azure:*"},
		otherwise: "openai-compatible-chat is for other providers",
		paths: []path{
			{"/v1/chat/completions", nil},
			{"/chat/completions", nil},
			{"/openai/v1/chat/completions", []string{"azure", "azure:*"}},
			{"/openai/deployments/{model}/chat/completions", []string{"azure", "azure:*"}},
		},
		headers:   []named{{name: "openai-beta"}},
		query:     []named{{name: "api-version"}},
		nulls:     true,
		toolNames: chatToolNames,
		body: &shape{members: slices.Concat(
			chatCore(chatMessage()),
			all(toParameters, "frequency_penalty", "logprobs", "max_completion_tokens", "max_tokens", "n",
				"parallel_tool_calls", "presence_penalty", "reasoning_effort", "seed", "temperature", "top_logprobs", "top_p", "verbosity"),
			[]member{
				{name: "audio", value: object(is("format", value), is("voice", object(open(is("id", value), "content"))))},
				{name: "function_call", value: object(plain("name")...)},
				{name: "logit_bias", value: freeValue},
				{name: "modalities", value: list(value)},
				{name: "prediction", value: object(is("type", value), is("content", &shape{elements: chatPart()}))},
				{name: "prompt_cache_options", vanishes: true, value: object(
					is("prewarm", value), leftOut("mode", "caching"), leftOut("ttl", "caching"), leftOut("comparison_response_id", "caching"))},
				{name: "response_format", value: chatFormat()},
				{name: "stop", value: list(value)},
				{name: "tool_choice", value: chatToolChoice()},
				{name: "web_search_options", value: webSearchOptions()},
				{name: "data_sources", value: dataSources(), hides: "content", note: "Azure"},
				{name: "moderation", to: toConstraints, value: moderation()},
				{name: "store", to: toConstraints},
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

// chatToolNames are where a tool of chat completions has its own name.
var chatToolNames = [][]string{{"function", "name"}, {"custom", "name"}, {"name"}}

// chatCore are the members that make a chat.
func chatCore(message *shape) []member {
	return []member{
		{name: "model", to: toModel, required: true},
		{name: "messages", to: toMessages, required: true, value: list(message)},
		{name: "tools", to: toTools, empty: true, value: list(chatTool())},
		{name: "functions", to: toTools, value: list(chatFunction())},
	}
}

var (
	// chatURL is a picture or another medium by URL: remote, or the bytes themselves.
	chatURL = sync.OnceValue(func() *shape { return &shape{bytes: dataURL, role: "image", address: remote} })

	chatPart = sync.OnceValue(func() *shape {
		return &shape{title: "a part of content", by: "type", what: "part",
			members: []member{is("type", value), leftOut("prompt_cache_breakpoint", "caching")},
			variants: []variant{
				{name: "text", members: plain("text")},
				{name: "refusal", members: plain("refusal")},
				{name: "image_url", members: []member{is("image_url", &shape{members: []member{is("url", chatURL()), is("detail", value)}, bytes: dataURL, role: "image", address: remote})}},
				{name: "input_audio", members: []member{is("input_audio", object(
					is("data", &shape{bytes: dataURL | base64Standard, role: "other"}), is("format", value)))}},
				{name: "file", members: []member{is("file", object(
					is("file_data", &shape{bytes: dataURL | base64Standard, role: "document"}), is("filename", value), open(is("file_id", value), "content")))}},
			}}
	})

	chatCall = sync.OnceValue(func() *shape {
		return &shape{title: "a call of a tool", members: []member{is("id", value), is("type", value), is("index", value),
			is("function", object(is("name", value), is("arguments", textValue), is("parsed_arguments", textValue))),
			is("custom", object(is("name", value), is("input", textValue)))}}
	})

	chatMessage = sync.OnceValue(func() *shape {
		return &shape{title: "a message", members: []member{
			{name: "role", to: stays, required: true},
			is("content", &shape{elements: chatPart()}),
			is("name", value), is("refusal", value), is("tool_call_id", value),
			is("tool_calls", list(chatCall())),
			is("function_call", object(is("name", value), is("arguments", textValue))),
			is("audio", object(open(is("id", value), "content"))),
			is("annotations", textValue), is("parsed", textValue),
		}}
	})

	chatFunction = sync.OnceValue(func() *shape {
		return &shape{title: "a function", text: true, secrets: toolSecrets, members: []member{
			is("name", value), is("description", value), is("parameters", textValue), is("strict", value)}}
	})

	chatTool = sync.OnceValue(func() *shape {
		return &shape{title: "a tool", text: true, secrets: toolSecrets, by: "type", what: "tool", members: []member{is("type", value)},
			variants: []variant{
				{name: "function", members: []member{is("function", chatFunction())}},
				{name: "custom", members: []member{is("custom", object(is("name", value), is("description", value), is("format", textValue)))}},
			}}
	})

	// chatFormat is a response's format: of it the schema alone is text.
	chatFormat = sync.OnceValue(func() *shape {
		return object(is("type", value), is("json_schema", object(is("name", value), is("description", value), is("strict", value),
			is("schema", textValue))))
	})

	chatToolChoice = sync.OnceValue(func() *shape {
		return object(is("type", value), is("function", object(plain("name")...)), is("custom", object(plain("name")...)),
			is("allowed_tools", object(is("mode", value), is("tools", list(object(is("type", value), is("function", object(plain("name")...)),
				is("custom", object(plain("name")...))))))))
	})

	webSearchOptions = sync.OnceValue(func() *shape {
		return object(is("search_context_size", value), is("user_location", object(is("type", value),
			is("approximate", object(plain("city", "country", "region", "timezone")...)))))
	})

	moderation = sync.OnceValue(func() *shape {
		return object(is("model", value), is("policy", object(is("input", object(plain("mode")...)), is("output", object(plain("mode")...)))))
	})

	// dataSources are Azure's: text, since the table does not know each kind, but for what authenticates.
	dataSources = sync.OnceValue(func() *shape {
		return &shape{elements: &shape{title: "a data source", text: true, secrets: unknownSecrets, members: []member{
			is("type", value), is("parameters", &shape{free: true, secrets: unknownSecrets, members: []member{
				{name: "authentication", to: stays, value: &shape{secret: true}}}})}}}
	})
)
