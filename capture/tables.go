package capture

// tables are all that this package has, in the order of their names.
var tables = []*table{&anthropicMessages1, &gemini1, &hfTrainer1, &mcp1, &ollamaChat1, &openAIChat1, &openAICompatibleChat1, &openAIEmbeddings1, &openAIResponses1}

func init() {
	completeAnthropic()
	completeResponsesTools()
	completeResponsesItems()
	gemini1.body.snakeAliases(map[*shape]bool{})
	for _, s := range []*shape{value, freeValue, textValue, unknownValue, toolPart} {
		s.prepare()
	}
	for _, t := range tables {
		t.body.prepare()
	}
}
