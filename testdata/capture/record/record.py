#!/usr/bin/env python3
"""Vectors of what client libraries send: a server on the loopback interface keeps the exact bytes of each call.

Run by hand, with the exact versions of requirements.txt:

    python3 -m venv /tmp/record && /tmp/record/bin/pip install -r requirements.txt
    /tmp/record/bin/python record.py [NAME...]     NAME is a part of a vector's name
    python3 ../oracle.py write ../FORMAT/recorded-NAME.vec
"""
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

VECTORS = Path(__file__).resolve().parent.parent
REQUESTS = []
PICTURE = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f0005fe02fea7d69ff40000000049454e44ae426082")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "description": "City, e.g. São Paulo"}, "unit": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
          "days": {"type": "integer", "minimum": 1}}, "required": ["city"], "additionalProperties": False}
HEADERS = ("anthropic-version", "anthropic-beta", "openai-beta")

ANSWERS = {
    "embed": {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 1, "total_tokens": 1}},
    "generateContent": {"candidates": [{"content": {"role": "model", "parts": [{"text": "ok"}]}, "finishReason": "STOP"}]},
    "/api/chat": {"model": "m", "created_at": "2026-11-27T00:00:00Z", "done": True, "done_reason": "stop", "message": {"role": "assistant", "content": "ok"}},
    "/batches": {"id": "b", "type": "message_batch", "processing_status": "in_progress", "created_at": "2026-11-27T00:00:00Z", "expires_at": "2026-11-28T00:00:00Z",
                 "request_counts": {"canceled": 0, "errored": 0, "expired": 0, "processing": 1, "succeeded": 0}},
    "/files": {"id": "f", "object": "file", "bytes": 1, "created_at": 1, "filename": "requests.jsonl", "purpose": "batch", "status": "processed"},
}


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        REQUESTS.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        answer = next((a for part, a in ANSWERS.items() if part in self.path), {})
        out = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = "http://127.0.0.1:%d" % server.server_address[1]


def write(format_, name, head, body):
    folder = VECTORS / format_.partition("/")[0]
    folder.mkdir(exist_ok=True)
    lines = ["expect: ok", "format: " + format_] + head + ["comment: recorded: " + name]
    (folder / ("recorded-%s.vec" % name)).write_bytes("\n".join(lines).encode() + b"\n\n" + body)
    print(folder.name, name)


def record(format_, package, name, call, provider="", pick=lambda body: body, only=None):
    """Calls, and writes the last request as a vector."""
    name = "%s-%s-%s" % (package, ".".join(version(package.removesuffix("-python")).split(".")[:2]), name)
    if len(sys.argv) > 1 and not any(a in name for a in sys.argv[1:]):
        return
    REQUESTS.clear()
    try:
        call()
    except Exception as e:
        if not REQUESTS:
            raise
        print("  after the request:", type(e).__name__, str(e)[:80])
    path, headers, body = REQUESTS[-1]
    head = ["provider: " + provider] if provider else []
    head += ["target: " + path]
    head += ["header %s: %s" % (h, headers[h]) for h in HEADERS if h in headers]
    write(format_, name, head, pick(body))


def embeddings():
    import openai
    from langchain_openai import OpenAIEmbeddings
    f, client = "openai-embeddings/1", openai.OpenAI(base_url=URL + "/v1", api_key="not-a-key", max_retries=0)
    create = client.embeddings.create
    record(f, "openai-python", "embed-text", lambda: create(model="text-embedding-3-small", input="Zürich\n"))
    record(f, "openai-python", "embed-list", lambda: create(model="text-embedding-3-large", input=["a", "b"], dimensions=256, user="u"))
    record(f, "openai-python", "embed-tokens", lambda: create(model="text-embedding-3-small", input=[[1, 2], [9007199254740993]]))
    record(f, "openai-python", "embed-float", lambda: create(model="text-embedding-3-small", input=[15339, 1917], encoding_format="float", dimensions=None))
    azure = openai.AzureOpenAI(azure_endpoint=URL, api_key="not-a-key", api_version="2026-02-01-preview", max_retries=0)
    record(f, "openai-python", "embed-azure", lambda: azure.embeddings.create(model="my-deployment", input="x"), provider="azure:contoso")
    chain = OpenAIEmbeddings(model="text-embedding-3-small", base_url=URL + "/v1", api_key="not-a-key", check_embedding_ctx_length=False)
    record(f, "langchain-openai", "embed-documents", lambda: chain.embed_documents(["one", "two"]))


def gemini():
    from google import genai
    from google.genai import types
    from langchain_google_genai import ChatGoogleGenerativeAI
    f = "gemini/1"
    client = genai.Client(api_key="not-a-key", vertexai=False, http_options=types.HttpOptions(base_url=URL))
    ask = client.models.generate_content
    config = types.GenerateContentConfig
    record(f, "google-genai-python", "text", lambda: ask(model="gemini-3-pro", contents="hi"))
    record(f, "google-genai-python", "schema", lambda: ask(model="models/gemini-3-pro", contents="hi", config=config(
        response_mime_type="application/json", response_json_schema=SCHEMA, temperature=0.1, seed=7, max_output_tokens=64)))
    record(f, "google-genai-python", "speech", lambda: ask(model="gemini-3-pro-tts", contents="hi", config=config(response_modalities=["AUDIO"], speech_config=types.SpeechConfig(
        language_code="de", voice_config=types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore"))))))
    record(f, "google-genai-python", "cached", lambda: ask(model="gemini-3-pro", contents=[types.Part.from_uri(file_uri="https://example.com/a.pdf?sig=not-a-key", mime_type="application/pdf")],
        config=config(cached_content="cachedContents/abc", labels={"team": "x"})))
    record(f, "google-genai-python", "server-tools", lambda: ask(model="gemini-3-pro", contents="hi", config=config(tools=[
        types.Tool(google_search=types.GoogleSearch()), types.Tool(url_context=types.UrlContext()),
        types.Tool(mcp_servers=[types.McpServer(name="m", streamable_http_transport=types.StreamableHttpTransport(url="https://mcp.example/a?k=not-a-key", headers={"X-Auth": "not-a-key"}))])])))
    record(f, "google-genai-python", "response-parts", lambda: ask(model="gemini-3-pro", contents=[types.Content(role="user", parts=[types.Part(function_response=types.FunctionResponse(
        name="shot", response={"ok": True, "a": None}, parts=[types.FunctionResponsePart(inline_data=types.FunctionResponseBlob(data=PICTURE, mime_type="image/png"))]))])]))
    chain = ChatGoogleGenerativeAI(model="gemini-3-pro", google_api_key="not-a-key", base_url=URL, temperature=0.5, max_retries=1)
    record(f, "langchain-google-genai", "system", lambda: chain.invoke([("system", "Be brief."), ("human", "hi")]))


def ollama():
    import ollama as library
    from langchain_ollama import ChatOllama
    f, client = "ollama-chat/1", library.Client(host=URL)
    tool = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
    record(f, "ollama-python", "text", lambda: client.chat(model="llama3.2", messages=[{"role": "user", "content": "hi"}]))
    record(f, "ollama-python", "picture", lambda: client.chat(model="llava", messages=[{"role": "user", "content": "hi", "images": [PICTURE]}], options={"seed": 7, "num_ctx": 8192}))
    record(f, "ollama-python", "format", lambda: client.chat(model="llama3.2", messages=[{"role": "user", "content": "hi"}], format=SCHEMA, think="low", keep_alive=0))
    record(f, "ollama-python", "tool-turn", lambda: client.chat(model="qwen3", tools=[tool], messages=[{"role": "user", "content": "w?"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "x", "n": 1.0, "z": None}}}]},
        {"role": "tool", "content": "21", "tool_name": "weather"}]))
    chain = ChatOllama(model="llama3.2", base_url=URL, temperature=0.2)
    record(f, "langchain-ollama", "system", lambda: chain.invoke([("system", "Be brief."), ("human", "hi")]))
    record(f, "langchain-ollama", "plain", lambda: ChatOllama(model="llama3.2", base_url=URL, format="json").invoke("hi"))
    record(f, "langchain-ollama", "tools", lambda: chain.bind_tools([tool]).invoke("w?"))


def batches():
    import io
    import anthropic, openai
    client = openai.OpenAI(base_url=URL + "/v1", api_key="not-a-key", max_retries=0)
    lines = [{"custom_id": "r0", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Frage ü"}], "temperature": 0}},
             {"custom_id": "r1", "method": "POST", "url": "/v1/responses", "body": {"model": "gpt-4.1-mini", "input": "Frage", "metadata": {"a": "b"}}},
             {"custom_id": "r2", "method": "POST", "url": "/v1/embeddings", "body": {"model": "text-embedding-3-small", "input": ["a", "b"]}}]
    text = "\n".join(map(json.dumps, lines)).encode() + b"\n"

    def of_file(body):
        part = next(p for p in body.split(b"\r\n--") if b'name="file"' in p)
        return part.partition(b"\r\n\r\n")[2]
    upload = lambda: client.files.create(file=("requests.jsonl", io.BytesIO(text)), purpose="batch")
    record("openai-batch/1", "openai-python", "upload", upload, pick=of_file)
    claude = anthropic.Anthropic(base_url=URL, api_key="not-a-key", max_retries=0)
    params = {"model": "claude-sonnet-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}
    record("anthropic-batch/1", "anthropic-python", "create", lambda: claude.messages.batches.create(requests=[
        {"custom_id": "a", "params": params}, {"custom_id": "b", "params": {**params, "system": "Be brief.", "metadata": {"user_id": "u"}}}]))
    record("anthropic-batch/1", "anthropic-python", "beta", lambda: claude.beta.messages.batches.create(betas=["files-api-2025-04-14"], requests=[
        {"custom_id": "a", "params": {**params, "container": "c", "temperature": None}}]))


def trainer():
    """Training arguments go to no server: the vector is their own text. PyTorch is not needed."""
    from transformers import TrainingArguments
    for name, arguments in (("defaults", {}), ("own", dict(learning_rate=3e-4, num_train_epochs=1, seed=7, bf16=False, optim="adafactor", lr_scheduler_type="cosine_with_min_lr",
            lr_scheduler_kwargs={"min_lr": 1e-6}, gradient_checkpointing_kwargs={"use_reentrant": False}, hub_token="not-a-key", run_name="r"))):
        text = TrainingArguments(output_dir="/tmp/out", **arguments).to_json_string()
        write("hf-trainer/1", "transformers-%s-%s" % (".".join(version("transformers").split(".")[:2]), name), ["model: org/base", "revision: 0123abc"], text.encode())


for calls in (embeddings, gemini, ollama, batches, trainer):
    calls()
