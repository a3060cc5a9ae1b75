package capture

import (
	"slices"
	"sync"
)

var mcp1 = sync.OnceValue(func() *table {
	return &table{
		api: "mcp", number: 1, kind: "agent",
		title: "tools of an MCP server (the result of tools/list), or the servers that a client's configuration names",
		about: []string{
			"Reads the result of `tools/list` of the Model Context Protocol, bare or as a JSON-RPC response, and declares the tools for the model that the caller names. The list must be whole: a result with `nextCursor` is an error, and several pages are joined by who asks for them.",
			"A tool is text: its order counts, since a model may see it. One server orders schemas by the protocol's version, and then its tools have an identity for each.",
			"Reads the configuration of clients too, as JSON without comments: `mcpServers` of Claude Desktop, Claude Code, Cursor, Windsurf, Cline and Gemini CLI, and `servers` of VS Code's `mcp.json`. It says which servers are started or called, and not which tools they have: these are open, and so is what a person types for `inputs`. Values of environment variables and headers are secret, whatever their names; what an `envFile` holds is not in the file.",
			"VS Code and some other clients also read comments, and commas behind the last member. Both are errors here: no standard says how they are read, and a client that reads JSON alone does not start these servers. Capture a copy of the file without them; it has the identity that the file has for the client, since neither says anything of a server.",
		},
		callerModel: true,
		oneOf:       []string{"tools", "mcpServers", "servers"},
		missingHint: "give the result of tools/list, or the part of a client's configuration that has mcpServers or servers",
		envelope:    "result",
		toolNames:   [][]string{{"name"}},
		body: &shape{members: []member{
			{name: "tools", to: toTools, value: list(mcpTool())},
			{name: "mcpServers", hides: "system, tools, content", value: mcpServers()},
			{name: "servers", hides: "system, tools, content", value: mcpServers()},
			{name: "inputs", hides: "system, tools, content", value: list(mcpInput())},
			{name: "nextCursor", to: refused, note: "the list is not whole: want all pages as one"},
			leftOut("$schema", "for editors"),
			leftOut("_meta", "bookkeeping"),
			leftOut("cacheScope", "caching"),
			leftOut("globalShortcut", "of the client's window"),
			leftOut("resultType", "transport"),
			leftOut("ttlMs", "caching"),
		}},
	}
})

var mcpTool = sync.OnceValue(func() *shape {
	return &shape{title: "a tool", text: true, secrets: toolSecrets, members: []member{
		is("name", value), is("title", value), is("description", value), is("inputSchema", textValue), is("outputSchema", textValue),
		is("annotations", object(plain("title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")...)),
		is("execution", object(plain("taskSupport")...)),
		leftOut("icons", "shown to people"),
		leftOut("_meta", "bookkeeping"),
	}}
})

var (
	// mcpServers are servers by the names that users give to them.
	mcpServers = sync.OnceValue(func() *shape { return &shape{free: true, labels: true, elements: mcpServer()} })

	mcpServer = sync.OnceValue(func() *shape {
		return &shape{title: "a server", secrets: unknownSecrets, members: slices.Concat(
			plain("command", "args", "headersHelper"),
			each(seen, "type", "transport", "cwd", "envFile", "name", "version", "disabled", "enabled", "trust", "alwaysAllow", "autoApprove", "tools",
				"enabledTools", "disabledTools", "includeTools", "excludeTools", "sandboxEnabled"),
			[]member{
				is("dev", object(is("watch", seen), is("debug", object(each(seen, "type", "debugpyPath")...)))),
				is("url", &shape{address: serverURL}),
				is("serverUrl", &shape{address: serverURL}),
				is("httpUrl", &shape{address: serverURL}),
				is("env", secretValues()),
				is("environment", secretValues()),
				is("environmentVariables", secretValues()),
				is("vars", secretValues()),
				is("headers", secretValues()),
				is("auth", secretValues()),
				is("oauth", mcpOAuth()),
				leftOut("description", "shown to people"),
				leftOut("timeout", "transport"),
			})}
	})

	// mcpOAuth has tokens in members of many names.
	mcpOAuth = sync.OnceValue(func() *shape {
		return &shape{free: true, secrets: unknownSecrets, elements: &shape{secret: true}, members: slices.Concat(
			plain("clientId", "scope", "scopes", "audience", "audiences", "enabled", "callbackPort", "tokenParamName"),
			[]member{
				is("clientSecret", &shape{secret: true}),
				is("authorizationUrl", &shape{address: serverURL}),
				is("authServerMetadataUrl", &shape{address: serverURL}),
				is("issuer", &shape{address: serverURL}),
				is("redirectUri", &shape{address: serverURL}),
				is("registrationUrl", &shape{address: serverURL}),
				is("tokenUrl", &shape{address: serverURL}),
			})}
	})

	// mcpInput is what a client asks a person for.
	mcpInput = sync.OnceValue(func() *shape {
		return &shape{title: "an input", secrets: unknownSecrets, members: append(plain("type", "id", "password", "options", "command", "args"),
			is("default", &shape{secret: true}), leftOut("description", "shown to people"))}
	})

	// secretValues are secrets by their names, which stay.
	secretValues = sync.OnceValue(func() *shape { return &shape{free: true, elements: &shape{secret: true}} })
)
