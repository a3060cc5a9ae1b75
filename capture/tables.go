package capture

import "sync"

// tables are all that this package has, in the order of their names. They and the shapes that they are made of are made when they are
// first asked for: a program that only imports this package does not pay for them at its start.
var tables = sync.OnceValue(func() []*table {
	return []*table{anthropicMessages1(), gemini1(), hfTrainer1(), lmEval1(), lmEvalResults1(), mcp1(), ollamaChat1(), openAIChat1(), openAICompatibleChat1(), openAIEmbeddings1(), openAIResponses1()}
})

// prepare completes all tables and indexes them, once a process and not before a table is read.
var prepare = sync.OnceFunc(func() {
	completeAnthropic()
	completeResponsesTools()
	completeResponsesItems()
	gemini1().body.snakeAliases(map[*shape]bool{})
	for _, s := range []*shape{value, seen, freeValue, textValue, unknownValue, toolPart} {
		s.prepare()
	}
	for _, t := range tables() {
		t.body.prepare()
	}
})
