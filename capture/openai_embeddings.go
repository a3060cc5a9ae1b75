package capture

import "sync"

var openAIEmbeddings1 = sync.OnceValue(func() *table {
	return &table{
		api: "openai-embeddings", number: 1, kind: "inference",
		title: "OpenAI embeddings, of OpenAI and Azure",
		about: []string{
			"Reads the body of `POST /v1/embeddings` of OpenAI and of Azure. Servers of others that speak like it read other members besides; they are not of this format.",
			"`input` is a message of its own. A string, a list with that string and a list of the string's tokens are three runs. Tokens are carried as text, since a request may have more of them than a declaration has elements.",
			"`encoding_format` says how the numbers of the answer are written, and SDKs add it unasked; the numbers are the same.",
		},
		provider: "openai", providers: []string{"openai", "azure", "azure:*"},
		paths: []path{
			{"/v1/embeddings", nil},
			{"/embeddings", nil},
			{"/openai/v1/embeddings", []string{"azure", "azure:*"}},
			{"/openai/deployments/{model}/embeddings", []string{"azure", "azure:*"}},
		},
		query: []named{{name: "api-version"}},
		nulls: true,
		body: &shape{members: []member{
			{name: "model", to: toModel, required: true},
			{name: "input", to: toMessage, required: true, value: &shape{text: true, free: true, plain: true, words: true}},
			{name: "dimensions"},
			leftOut("encoding_format", "how the answer is written"),
			leftOut("user", "bookkeeping"),
		}},
	}
})
