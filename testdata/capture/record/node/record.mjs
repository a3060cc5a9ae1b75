// Vectors of what client libraries for Node send, and of the tools that MCP servers list: a server on the loopback
// interface keeps the exact bytes of each call.
//
// Run by hand, with the exact versions of package.json, which has Node 22 among them: under an older one npm takes older
// major versions of some libraries.
//
//     cp package.json record.mjs /tmp/record && cd /tmp/record && npm install
//     node_modules/.bin/node record.mjs VECTORS [NAME...]     VECTORS is testdata/capture, NAME a part of a vector's name
//     python3 VECTORS/oracle.py write VECTORS/FORMAT/recorded-NAME.vec

import { createServer } from "node:http";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import OpenAI, { AzureOpenAI } from "openai";
import Anthropic from "@anthropic-ai/sdk";
import { generateText, Output, stepCountIs, tool } from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { z } from "zod";

const [vectors, ...only] = process.argv.slice(2);
const picture = Buffer.from("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f0005fe02fea7d69ff40000000049454e44ae426082", "hex");
const schema = { type: "object", properties: { city: { type: "string", description: "City, e.g. São Paulo" }, unit: { anyOf: [{ type: "string" }, { type: "null" }], default: null } }, required: ["city"], additionalProperties: false };
const named = ["anthropic-version", "anthropic-beta", "openai-beta"];

const answers = [
  ["/embeddings", { object: "list", model: "m", data: [{ object: "embedding", index: 0, embedding: [0.5] }], usage: { prompt_tokens: 1, total_tokens: 1 } }],
  ["/chat/completions", { id: "c", object: "chat.completion", created: 1, model: "m", choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "{}" } }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }],
  ["/responses", { id: "r", object: "response", created_at: 1, model: "m", status: "completed", output: [{ type: "message", id: "m", role: "assistant", status: "completed", content: [{ type: "output_text", text: "{}", annotations: [] }] }], usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } }],
  ["/messages", { id: "m", type: "message", role: "assistant", model: "m", content: [{ type: "text", text: "{}" }], stop_reason: "end_turn", usage: { input_tokens: 1, output_tokens: 1 } }],
  ["enerateContent", { candidates: [{ content: { role: "model", parts: [{ text: "ok" }] }, finishReason: "STOP" }], usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 } }],
];

let last;
const server = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  last = { target: request.url, headers: request.headers, body: Buffer.concat(pieces) };
  const [, answer] = answers.find(([part]) => request.url.includes(part)) ?? ["", {}];
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(answer));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${server.address().port}`;

function write(format, name, head, body) {
  const folder = `${vectors}/${format.split("/")[0]}`;
  mkdirSync(folder, { recursive: true });
  const lines = ["expect: ok", `format: ${format}`, ...head, `comment: recorded: ${name}`].join("\n");
  writeFileSync(`${folder}/recorded-${name}.vec`, Buffer.concat([Buffer.from(`${lines}\n\n`), body]));
  console.log(format, name);
}

// The version of a package by its own package.json, in two parts.
function release(name) {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version.split(".").slice(0, 2).join(".");
}

// Calls, and writes the last request as a vector.
async function record(format, library, pack, name, call, provider = "") {
  name = `${library}-${release(pack)}-${name}`;
  if (only.length > 0 && !only.some((part) => name.includes(part))) return;
  last = undefined;
  try {
    await call();
  } catch (e) {
    if (!last) throw e;
    console.log("  after the request:", String(e).slice(0, 100));
  }
  const head = provider ? [`provider: ${provider}`] : [];
  head.push(`target: ${last.target}`, ...named.filter((h) => last.headers[h]).map((h) => `header ${h}: ${last.headers[h]}`));
  write(format, name, head, last.body);
}

const options = { baseURL: `${url}/v1`, apiKey: "not-a-key", maxRetries: 0 };
const messages = [{ role: "user", content: "hi" }];

async function openai() {
  const client = new OpenAI(options);
  const is = (format, name, call, provider) => record(format, "openai-node", "openai", name, call, provider);
  const weather = { name: "weather", description: "d", parameters: schema, strict: true };
  await is("openai-chat/1", "chat-tools", () => client.chat.completions.create({ model: "gpt-5.4-mini", messages, tools: [{ type: "function", function: weather }], seed: 7, temperature: 1e-7 }));
  await is("openai-chat/1", "chat-picture", () => client.chat.completions.create({ model: "gpt-5.4-mini", messages: [{ role: "user", content: [{ type: "text", text: "what?" }, { type: "image_url", image_url: { url: `data:image/png;base64,${picture.toString("base64")}` } }] }], user: "u", store: false }));
  await is("openai-chat/1", "chat-undefined", () => client.chat.completions.create({ model: "gpt-5.4-mini", messages, tools: [], temperature: undefined, stop: null }));
  await is("openai-responses/1", "responses-stored-prompt", () => client.responses.create({ prompt: { id: "pmpt_abc", version: "2", variables: { city: "Zürich" } } }));
  await is("openai-responses/1", "responses-mcp", () => client.responses.create({ model: "gpt-5.4", input: "hi", tools: [{ type: "mcp", server_label: "s", server_url: "https://mcp.example/sse?key=not-a-key", authorization: "not-a-key", headers: { "X-A": "not-a-key" }, require_approval: "never" }] }));
  await is("openai-embeddings/1", "embed", () => client.embeddings.create({ model: "text-embedding-3-small", input: ["a", "b"] }));
  const azure = new AzureOpenAI({ endpoint: url, apiKey: "not-a-key", apiVersion: "2026-02-01-preview", deployment: "my-deployment", maxRetries: 0 });
  await is("openai-chat/1", "chat-azure", () => azure.chat.completions.create({ model: "my-deployment", messages }), "azure:contoso");
}

async function anthropic() {
  const client = new Anthropic({ baseURL: url, apiKey: "not-a-key", maxRetries: 0 });
  const is = (name, call) => record("anthropic-messages/1", "anthropic-ts", "@anthropic-ai/sdk", name, call);
  await is("picture", () => client.messages.create({ model: "claude-sonnet-5", max_tokens: 64, system: "Be brief.", messages: [{ role: "user", content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: picture.toString("base64") } }, { type: "text", text: "what?" }] }] }));
  await is("tool-turn", () => client.messages.create({ model: "claude-sonnet-5", max_tokens: 64, tools: [{ name: "weather", description: "d", input_schema: schema }], messages: [...messages, { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "weather", input: { city: "x", A: 1, a: 2 } }] }, { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "21" }] }] }));
  await is("beta-mcp", () => client.beta.messages.create({ model: "claude-sonnet-5", max_tokens: 64, messages, betas: ["mcp-client-2025-11-20"], mcp_servers: [{ type: "url", name: "s", url: "https://mcp.example/sse", authorization_token: "not-a-key" }] }));
}

async function aiSDK() {
  const is = (format, name, call) => record(format, "ai-sdk", "ai", name, call);
  const tools = { weather: tool({ description: "d", inputSchema: z.object({ city: z.string().describe("City, e.g. São Paulo"), days: z.number().int().optional() }), execute: () => 21 }) };
  const ask = (model, more) => generateText({ model, prompt: "hi", maxRetries: 0, stopWhen: stepCountIs(1), ...more });
  const chat = createOpenAI({ ...options, name: "openai" });
  await is("openai-chat/1", "chat", () => ask(chat.chat("gpt-5.4-mini"), { tools, system: "Be brief.", temperature: 0.2 }));
  await is("openai-responses/1", "responses", () => ask(chat.responses("gpt-5.4-mini"), { tools, output: Output.object({ schema: z.object({ a: z.number() }) }) }));
  await is("anthropic-messages/1", "anthropic", () => ask(createAnthropic({ baseURL: `${url}/v1`, apiKey: "not-a-key" })("claude-sonnet-5"), { tools, system: "Be brief." }));
  await is("gemini/1", "google", () => ask(createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: "not-a-key" })("gemini-3-pro"), { tools, messages: [{ role: "user", content: [{ type: "text", text: "what?" }, { type: "file", data: picture, mediaType: "image/png" }] }] }));
}

// The tools of a server over its standard streams: the line of the response as it stands.
async function mcp(name, pack, args) {
  name = `${name}-${release(pack)}-tools`;
  if (only.length > 0 && !only.some((part) => name.includes(part))) return;
  const require = createRequire(`${process.cwd()}/`);
  const { bin } = require(`${process.cwd()}/node_modules/${pack}/package.json`);
  const child = spawn(process.execPath, [`node_modules/${pack}/${Object.values(bin)[0]}`, ...args], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout });
  const send = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  send({ id: 0, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "record", version: "1" } } });
  for await (const line of lines) {
    const { id } = JSON.parse(line);
    if (id === 0) {
      send({ method: "notifications/initialized" });
      send({ id: 1, method: "tools/list", params: {} });
    } else if (id === 1) {
      write("mcp/1", name, ["model: org/model"], Buffer.from(line));
      break;
    }
  }
  child.kill();
}

await openai();
await anthropic();
await aiSDK();
await mcp("server-everything", "@modelcontextprotocol/server-everything", ["stdio"]);
await mcp("server-filesystem", "@modelcontextprotocol/server-filesystem", ["/tmp"]);
server.close();
process.exit(0);
