// openai-node, Anthropic's SDK and the AI SDK, for the end-to-end tests of the gateway: the same protocol as ../python/caller.py.
import { createInterface } from 'node:readline';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';

const apiKey = 'not-a-key';
const user = (content = 'ping') => [{ role: 'user', content }];

async function joined(stream, part) {
  let text = '';
  for await (const event of stream) text += part(event) ?? '';
  return { text };
}

async function chat({ base, content, stream = false, options }) {
  const client = new OpenAI({ baseURL: base, apiKey, maxRetries: 2 });
  const made = await client.chat.completions.create({ model: 'gpt-5.5', messages: user(content), stream, ...options });
  return stream ? joined(made, (c) => c.choices[0]?.delta?.content) : { text: made.choices[0].message.content };
}

async function responses({ base, content = 'ping', stream = false }) {
  const client = new OpenAI({ baseURL: base, apiKey });
  const made = await client.responses.create({ model: 'gpt-5.5', input: content, stream });
  return stream ? joined(made, (e) => e.type === 'response.output_text.delta' ? e.delta : '') : { text: made.output_text };
}

async function messages({ base, content, stream = false }) {
  const client = new Anthropic({ baseURL: base, apiKey });
  const call = { model: 'claude-sonnet-5', max_tokens: 16, messages: user(content) };
  if (!stream) return { text: (await client.messages.create(call)).content[0].text };
  return joined(client.messages.stream(call), (e) => e.type === 'content_block_delta' ? e.delta.text : '');
}

async function aiSDK({ base, content = 'ping', stream = false, api = 'chat' }) {
  const model = createOpenAI({ baseURL: base, apiKey })[api]('gpt-5.5');
  if (!stream) return { text: (await generateText({ model, prompt: content, maxRetries: 0 })).text };
  let failed;
  const made = streamText({ model, prompt: content, maxRetries: 0, onError: ({ error }) => { failed = error; } });
  const answer = await joined(made.textStream, (t) => t);
  if (failed) throw failed;
  return answer;
}

const todo = { chat, responses, messages, aiSDK };
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, ...(await todo[request.do](request)) };
  } catch (e) {
    answer = { ok: false, error: `${e.constructor.name}: ${e.message}` };
  }
  console.log(JSON.stringify(answer));
}
