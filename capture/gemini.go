package capture

import (
	"slices"
	"sync"
)

var gemini1 = sync.OnceValue(func() *table {
	return &table{
		api: "gemini", number: 1, kind: "inference",
		title: "Gemini generateContent, of Google and Vertex",
		about: []string{
			"Reads the body of `POST .../models/MODEL:generateContent` and `:streamGenerateContent` of the Gemini API and of Vertex. The path names the model. Counting tokens runs nothing; embeddings, batches, live sessions and interactions are other calls.",
			"The API reads each name in camelCase and in snake_case, and Google's own SDK mixes both in one body. A name is declared in camelCase; inside text it stays as it is written. A name that is there in both spellings is an error, and so is, in an object for which this page has members, one that is none of the two and differs from a name of the table, or from another one that it does not have, in case and underscores alone. A model that is called `models/tunedModels/x` is another one than `tunedModels/x`.",
			"`thoughtSignature` is opaque and stays as it is. The API's version is not part of the run. The location of Vertex is `constraints.location`; of an endpoint it is a part of the model's name.",
		},
		provider: "google", providers: []string{"google", "vertex"},
		paths:       geminiPaths(),
		modelPrefix: "models/",
		modelHint:   "the path names the model: give it with the body, such as /v1beta/models/gemini-3-pro:generateContent",
		roleless:    true,
		body: &shape{members: slices.Concat(
			[]member{
				{name: "model", to: toModel, required: true},
				{name: "contents", to: toMessages, required: true, value: list(geminiContent())},
				{name: "systemInstruction", to: toMessage, value: geminiContent()},
				{name: "tools", to: toTools, empty: true, value: list(geminiTool())},
				{name: "cachedContent", hides: "messages, system, tools, content"},
				{name: "continuationToken", hides: "messages"},
				{name: "generationConfig", empty: true, value: geminiConfig()},
				{name: "toolConfig", value: object(
					is("functionCallingConfig", object(is("mode", value), is("allowedFunctionNames", list(value)), is("streamFunctionCallArguments", value))),
					is("retrievalConfig", object(is("latLng", object(plain("latitude", "longitude")...)), is("languageCode", value))),
					is("includeServerSideToolInvocations", value))},
				{name: "modelArmorConfig", to: toConstraints, value: object(plain("promptTemplateName", "responseTemplateName")...)},
				{name: "safetySettings", to: toConstraints, empty: true, value: list(object(plain("category", "method", "threshold")...))},
				{name: "store", to: toConstraints},
				leftOut("labels", "bookkeeping"),
				leftOut("serviceTier", "speed and price"),
			})},
	}
})

// geminiPaths are all paths, for each version of the API.
func geminiPaths() []path {
	var l []path
	for _, verb := range []string{":generateContent", ":streamGenerateContent"} {
		for _, version := range []string{"", "/v1", "/v1beta", "/v1alpha"} {
			for _, name := range []string{"/models/{model}", "/{tunedModels/*}"} {
				l = append(l, path{version + name + verb, []string{"google"}})
			}
		}
		for _, version := range []string{"/v1", "/v1beta1"} {
			for _, name := range []string{"/projects/*/locations/{location}/publishers/google/models/{model}", "/publishers/google/models/{model}",
				"/{projects/*/locations/*/endpoints/*}"} {
				l = append(l, path{version + name + verb, []string{"vertex"}})
			}
		}
	}
	return l
}

var (
	geminiFile = sync.OnceValue(func() *shape {
		return object(is("fileUri", &shape{address: remote}), is("mimeType", value), is("displayName", value))
	})
	geminiBytes = sync.OnceValue(func() *shape { return &shape{bytes: base64Either, role: "other", media: "mimeType"} })
	geminiBlob  = sync.OnceValue(func() *shape {
		return object(is("mimeType", value), is("data", geminiBytes()), is("displayName", value))
	})
	geminiDetail = sync.OnceValue(func() []member {
		return []member{
			is("mediaResolution", object(plain("level", "numTokens")...)), is("mediaProcessing", value),
			is("videoMetadata", object(is("startOffset", value), is("endOffset", value), is("fps", value), is("contentLayers", list(value)))),
			is("documentMetadata", object(is("startPage", value), is("endPage", value), is("contentLayers", list(value)))),
			is("spreadsheetMetadata", object(is("visibleCells", value), is("sheetIndex", value), is("contentLayers", list(value)))),
			is("audioMetadata", object(plain("startOffset", "endOffset")...)),
		}
	})

	geminiPart = sync.OnceValue(func() *shape {
		return &shape{title: "a part of content", members: slices.Concat(geminiDetail(), []member{
			is("text", value), is("thought", value), is("thoughtSignature", value),
			is("inlineData", geminiBlob()), is("fileData", geminiFile()),
			is("functionCall", object(is("id", value), is("name", value), is("args", textValue), is("partialArgs", textValue), is("willContinue", value))),
			is("functionResponse", object(is("id", value), is("name", value), is("response", textValue), is("scheduling", value), is("willContinue", value),
				is("parts", list(&shape{title: "a part of a function's response", members: slices.Concat(geminiDetail(), []member{
					is("inlineData", geminiBlob()), is("fileData", geminiFile())})})))),
			is("executableCode", object(plain("id", "code", "language")...)),
			is("codeExecutionResult", object(plain("id", "outcome", "output")...)),
			is("toolCall", object(is("id", value), is("toolType", value), is("args", textValue))),
			is("toolResponse", object(is("id", value), is("toolType", value), is("response", textValue))),
			is("partMetadata", textValue),
			is("audioTranscription", object(is("text", value), is("finished", value), is("languageCode", value), is("speakerLabel", value), is("startOffset", value),
				is("endOffset", value), is("words", list(object(plain("word", "startOffset", "endOffset")...))))),
			is("speechMetadata", object(plain("speaker", "style")...)),
		})}
	})

	geminiContent = sync.OnceValue(func() *shape {
		return &shape{title: "a content", members: []member{is("role", value), is("parts", list(geminiPart()))}}
	})

	geminiVoice = sync.OnceValue(func() *shape {
		return object(is("voice", value), is("prebuiltVoiceConfig", object(plain("voiceName")...)), is("replicatedVoiceConfig", object(
			is("mimeType", value), is("voiceSampleAudio", geminiBytes()), is("consentAudio", geminiBytes()), is("voiceConsentSignature", object(plain("signature")...)))))
	})

	geminiConfig = sync.OnceValue(func() *shape {
		return &shape{title: "a generation configuration", members: slices.Concat(
			plain("audioTimestamp", "candidateCount", "enableAffectiveDialog", "enableEnhancedCivicAnswers", "frequencyPenalty", "logprobs", "maxOutputTokens",
				"mediaResolution", "presencePenalty", "responseLogprobs", "responseMimeType", "seed", "temperature", "topK", "topP"),
			[]member{
				is("responseModalities", list(value)), is("stopSequences", list(value)),
				is("responseSchema", textValue), is("responseJsonSchema", textValue),
				is("responseFormat", object(is("audio", object(plain("bitRate", "delivery", "mimeType", "sampleRate")...)),
					is("image", object(plain("aspectRatio", "delivery", "imageSize", "mimeType")...)), is("text", object(is("mimeType", value), is("schema", textValue), is("jsonSchema", textValue))),
					is("video", object(plain("aspectRatio", "delivery", "duration", "gcsUri", "resolution")...)))),
				is("thinkingConfig", object(plain("includeThoughts", "thinkingBudget", "thinkingLevel")...)),
				is("imageConfig", object(plain("aspectRatio", "imageSize", "outputMimeType", "outputCompressionQuality", "personGeneration")...)),
				is("speechConfig", object(is("languageCode", value), is("voiceConfig", geminiVoice()),
					is("multiSpeakerVoiceConfig", object(is("speakerVoiceConfigs", list(object(is("speaker", value), is("voiceConfig", geminiVoice())))))))),
				is("modelSelectionConfig", object(plain("featureSelectionPreference")...)),
				is("routingConfig", object(is("autoMode", object(plain("modelRoutingPreference")...)), is("manualMode", object(plain("modelName")...)))),
				is("translationConfig", object(plain("echoTargetLanguage", "targetLanguageCode")...)),
				is("audioTranscriptionConfig", object(is("languageCodes", list(value)), is("languageAuto", object()), is("languageHints", object(is("languageCodes", list(value)))),
					is("customVocabulary", list(value)), is("adaptationPhrases", list(value)), is("wordTimestamp", value), is("diarization", value), is("mode", value), is("sourceText", value))),
			})}
	})

	geminiAuth   = sync.OnceValue(func() *shape { return &shape{secret: true} })
	geminiSearch = sync.OnceValue(func() *shape {
		return object(is("apiKey", geminiAuth()), is("customConfigs", toolPart), is("enableDataRetention", value), is("enableZeroDataRetention", value))
	})

	geminiTool = sync.OnceValue(func() *shape {
		return &shape{title: "a tool", text: true, secrets: toolSecrets, members: []member{
			is("functionDeclarations", list(&shape{title: "a function", members: []member{is("name", value), is("description", value), is("behavior", value),
				is("parameters", textValue), is("parametersJsonSchema", textValue), is("response", textValue), is("responseJsonSchema", textValue)}})),
			is("googleSearch", object(is("searchTypes", object(is("webSearch", object()), is("imageSearch", object()))), is("blockingConfidence", value),
				is("excludeDomains", list(value)), is("timeRangeFilter", object(plain("startTime", "endTime")...)))),
			is("googleSearchRetrieval", object(is("dynamicRetrievalConfig", object(plain("mode", "dynamicThreshold")...)))),
			is("googleMaps", object(is("authConfig", geminiAuth()), is("enableWidget", value), is("groundingTypes", object(is("places", object()), is("routing", object()))))),
			is("enterpriseWebSearch", object(is("blockingConfidence", value), is("excludeDomains", list(value)))),
			is("urlContext", object()), is("codeExecution", object()),
			is("computerUse", object(is("environment", value), is("excludedPredefinedFunctions", list(value)), is("enablePromptInjectionDetection", value), is("disabledSafetyPolicies", list(value)))),
			is("fileSearch", object(open(is("fileSearchStoreNames", list(value)), "content"), is("topK", value), is("metadataFilter", value))),
			open(is("retrieval", object(is("disableAttribution", value),
				is("externalApi", object(is("apiAuth", geminiAuth()), is("authConfig", geminiAuth()), is("apiSpec", value), is("endpoint", &shape{address: serverURL}),
					is("elasticSearchParams", object(plain("index", "numHits", "searchTemplate")...)), is("simpleSearchParams", object()))),
				is("vertexAiSearch", object(is("datastore", value), is("engine", value), is("filter", value), is("maxResults", value), is("dataStoreSpecs", list(object(plain("dataStore", "filter")...))))),
				is("vertexRagStore", object(is("ragCorpora", list(value)), is("ragResources", list(object(is("ragCorpus", value), is("ragFileIds", list(value))))), is("similarityTopK", value),
					is("storeContext", value), is("vectorDistanceThreshold", value), is("ragRetrievalConfig", toolPart))))), "content"),
			is("exaAiSearch", geminiSearch()), is("parallelAiSearch", geminiSearch()),
			open(is("mcpServers", list(&shape{title: "an MCP server", members: []member{is("name", value), is("streamableHttpTransport", object(
				is("url", &shape{address: serverURL}), is("headers", &shape{free: true, elements: &shape{secret: true}}),
				is("timeout", value), is("sseReadTimeout", value), is("terminateOnClose", value)))}})), "tools"),
		}}
	})
)
