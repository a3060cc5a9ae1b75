"""Clients of model APIs, unchanged but for the base URL, for the end-to-end tests of the gateway.

Each line of standard input is a JSON object that says what to do; each gets one line, {"ok": true, "text": ...} or
{"ok": false, "error": ...}. "error" is the client's own exception with its message. "base" is the base URL, or what the
environment says; "stream" asks for a stream; "content" is what the user says; "options" are further arguments of the
client's method. "within" makes calls in a block of runattest.gateway.
"""

import json
import sys

import anthropic
import ollama
import openai
import runattest
from google import genai
from google.genai import types
from langchain_openai import ChatOpenAI

KEY = "not-a-key"
PING = {"type": "function", "function": {"name": "ping", "description": None, "parameters": {"type": "object", "properties": {}}}}


def openai_client(base: str | None = None) -> openai.OpenAI:
    return openai.OpenAI(base_url=base, api_key=KEY, max_retries=2)


def chat(base: str | None = None, content: str = "ping", stream: bool = False, tools: bool = False, model: str = "gpt-5.5", options: dict = {}) -> dict:
    """openai.chat.completions."""
    more = dict(options)
    if tools:
        more["tools"] = [PING]
    made = openai_client(base).chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": content}], stream=stream, **more
    )
    answer = made.parse()
    text = "".join(c.choices[0].delta.content or "" for c in answer if c.choices) if stream else answer.choices[0].message.content
    return {"text": text, "identity": made.headers.get("airun-identity"), "receipt": made.headers.get("airun-journal")}


def responses(base: str | None = None, content: str = "ping", stream: bool = False, model: str = "gpt-5.5", options: dict = {}) -> dict:
    """openai.responses."""
    client = openai_client(base)
    if stream:
        events = client.responses.create(model=model, input=content, stream=True, **options)
        return {"text": "".join(e.delta for e in events if e.type == "response.output_text.delta")}
    return {"text": client.responses.create(model=model, input=content, **options).output_text}


def embeddings(base: str | None = None, content: str = "ping") -> dict:
    made = openai_client(base).embeddings.create(model="text-embedding-3-small", input=content)
    return {"text": str(len(made.data[0].embedding))}


def models(base: str | None = None) -> dict:
    """A call that computes nothing."""
    return {"text": ",".join(m.id for m in openai_client(base).models.list())}


def messages(base: str | None = None, content: str = "ping", stream: bool = False, model: str = "claude-sonnet-5", options: dict = {}) -> dict:
    """anthropic.messages."""
    client = anthropic.Anthropic(base_url=base, api_key=KEY, max_retries=2)
    call = dict(model=model, max_tokens=16, messages=[{"role": "user", "content": content}], **options)
    if stream:
        with client.messages.stream(**call) as events:
            return {"text": "".join(events.text_stream)}
    made = client.messages.with_raw_response.create(**call)
    return {"text": made.parse().content[0].text, "identity": made.headers.get("airun-identity")}


def count_tokens(base: str | None = None, content: str = "ping") -> dict:
    """A call of Anthropic's API that computes nothing."""
    client = anthropic.Anthropic(base_url=base, api_key=KEY)
    counted = client.messages.count_tokens(model="claude-sonnet-5", messages=[{"role": "user", "content": content}])
    return {"text": str(counted.input_tokens)}


def gemini(base: str | None = None, content: str = "ping", stream: bool = False) -> dict:
    """google-genai."""
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=base))
    if stream:
        chunks = client.models.generate_content_stream(model="gemini-3-flash", contents=content)
        return {"text": "".join(c.text or "" for c in chunks)}
    return {"text": client.models.generate_content(model="gemini-3-flash", contents=content).text}


def ollama_chat(base: str | None = None, content: str = "ping", stream: bool = False) -> dict:
    client = ollama.Client(host=base)
    answer = client.chat(model="llama3.2", messages=[{"role": "user", "content": content}], stream=stream)
    return {"text": "".join(c.message.content for c in answer) if stream else answer.message.content}


def langchain(base: str | None = None, content: str = "ping", stream: bool = False) -> dict:
    chat = ChatOpenAI(model="gpt-5.5", base_url=base, api_key=KEY)
    if stream:
        return {"text": "".join(c.content for c in chat.stream(content))}
    return {"text": chat.invoke(content).content}


def within(upstream: dict, calls: list, policy: str | None = None) -> dict:
    """Calls in a block of runattest.gateway, by clients that are made in it and are told nothing. The text has all answers."""
    with runattest.gateway("runattest.key", journal="journal", upstream=upstream, policy=policy):
        return {"text": json.dumps([TODO[call.pop("do")](**call)["text"] for call in calls])}


def refused(**block) -> dict:
    """The same with calls that fail: the exceptions."""
    said = []
    for call in block.pop("calls"):
        try:
            within(calls=[call], **block)
        except Exception as e:  # of any client
            said.append(f"{type(e).__name__}: {e}")
    return {"text": json.dumps(said)}


TODO = {f.__name__: f for f in (chat, responses, embeddings, models, messages, count_tokens, gemini, ollama_chat, langchain, within, refused)}

for line in sys.stdin:
    request = json.loads(line)
    act = TODO[request.pop("do")]
    try:
        answer = {"ok": True, **act(**request)}
    except Exception as e:  # the exception of any client is the answer
        answer = {"ok": False, "error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), flush=True)
