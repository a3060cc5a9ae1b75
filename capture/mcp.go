package capture

var mcp1 = table{
	api: "mcp", number: 1, kind: "agent",
	title: "tools of an MCP server: the result of tools/list",
	about: []string{
		"Reads the result of `tools/list` of the Model Context Protocol, bare or as a JSON-RPC response, and declares the tools for the model that the caller names. The list must be whole: a result with `nextCursor` is an error, and several pages are joined by who asks for them.",
		"A tool is text: its order counts, since a model may see it. One server orders schemas by the protocol's version, and then its tools have an identity for each.",
	},
	callerModel: true,
	envelope:    "result",
	toolNames:   [][]string{{"name"}},
	body: &shape{members: []member{
		{name: "tools", to: toTools, required: true, value: list(mcpTool)},
		{name: "nextCursor", to: refused, note: "the list is not whole: want all pages as one"},
		leftOut("_meta", "bookkeeping"),
		leftOut("cacheScope", "caching"),
		leftOut("resultType", "transport"),
		leftOut("ttlMs", "caching"),
	}},
}

var mcpTool = &shape{title: "a tool", text: true, secrets: toolSecrets, members: []member{
	is("name", value), is("title", value), is("description", value), is("inputSchema", textValue), is("outputSchema", textValue),
	is("annotations", object(plain("title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")...)),
	is("execution", object(plain("taskSupport")...)),
	leftOut("icons", "shown to people"),
	leftOut("_meta", "bookkeeping"),
}}
