package capture

import "sync"

// tables are all that this package has, in the order of their names.
var tables = []*table{&anthropicMessages1, &gemini1, &hfTrainer1, &lmEval1, &lmEvalResults1, &mcp1, &ollamaChat1, &openAIChat1, &openAICompatibleChat1, &openAIEmbeddings1, &openAIResponses1}

// prepare completes all tables and indexes them, once a process and not before a table is read: every program that imports this
// package would pay for it at its start.
var prepare = sync.OnceFunc(func() {
	completeAnthropic()
	completeResponsesTools()
	completeResponsesItems()
	gemini1.body.snakeAliases(map[*shape]bool{})
	for _, s := range []*shape{value, seen, freeValue, textValue, unknownValue, toolPart} {
		s.prepare()
	}
	for _, t := range tables {
		t.body.prepare()
	}
})
