package capture

import (
	"slices"
	"sync"
)

var ollamaChat1 = sync.OnceValue(func() *table {
	return &table{
		api: "ollama-chat", number: 1, kind: "inference",
		title: "Ollama chat",
		about: []string{
			"Reads the body of `POST /api/chat` of Ollama. What a Modelfile sets (a system prompt, a template, parameters) is not in the request, and a model's name is a tag that can move.",
			"Ollama matches names without case and takes the last. So a name that differs from one of the table in case alone is an error.",
		},
		provider: "ollama", providers: []string{"ollama"},
		paths:     []path{{"/api/chat", nil}},
		toolNames: chatToolNames,
		body: &shape{members: []member{
			{name: "model", to: toModel, required: true},
			{name: "messages", to: toMessages, required: true, value: list(ollamaMessage())},
			{name: "tools", to: toTools, empty: true, value: list(chatTool())},
			{name: "format", value: textValue},
			{name: "logprobs"},
			{name: "options", empty: true, value: &shape{title: "the options", members: slices.Concat(
				plain("draft_num_predict", "embedding_only", "f16_kv", "frequency_penalty", "logits_all", "low_vram", "main_gpu", "min_p", "mirostat", "mirostat_eta",
					"mirostat_tau", "num_batch", "num_ctx", "num_gpu", "num_gqa", "num_keep", "num_predict", "num_thread", "numa", "penalize_newline",
					"presence_penalty", "repeat_last_n", "repeat_penalty", "rope_frequency_base", "rope_frequency_scale", "seed", "temperature", "tfs_z",
					"top_k", "top_p", "typical_p", "use_mlock", "use_mmap", "vocab_only"),
				[]member{is("stop", list(value))})}},
			{name: "shift"},
			{name: "think"},
			{name: "top_logprobs"},
			{name: "truncate"},
			leftOut("_debug_render_only", "transport"),
			leftOut("keep_alive", "caching"),
			leftOut("stream", "transport"),
		}},
	}
})

var ollamaMessage = sync.OnceValue(func() *shape {
	return &shape{title: "a message", members: []member{
		{name: "role", to: stays, required: true},
		is("content", value), is("thinking", value), is("tool_name", value), is("tool_call_id", value),
		{name: "images", to: stays, empty: true, value: list(&shape{bytes: base64Standard, role: "image"})},
		is("tool_calls", list(&shape{title: "a call of a tool", members: []member{is("id", value), is("type", value),
			is("function", object(is("index", value), is("name", value), is("arguments", textValue)))}})),
	}}
})
