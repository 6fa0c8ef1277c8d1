// The conversations of ../README.md, held with the official Node SDK.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { VERSION } from "openai/version";

const URL_V1 = `${process.env.OMNIROUTE_URL.replace(/\/+$/, "")}/v1`;
const ASK = [{ role: "user", content: "Say hello." }];
const WEATHER = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Weather in Paris?" },
];
const TOOLS = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];

const connect = (apiKey) => new OpenAI({ baseURL: URL_V1, apiKey, maxRetries: 0, timeout: 30_000 });
const client = connect(process.env.OMNIROUTE_KEY);
const chat = client.chat.completions;

const conversations = {
  async "models are listed"() {
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    const ids = models.map((model) => model.id);
    assert.ok(ids.includes("demo/echo"), ids.join(" "));
    assert.ok(models.every((model) => model.object === "model" && model.owned_by));
    assert.equal(new Set(ids).size, ids.length, "no model is listed twice");
  },

  async "a plain chat is answered"() {
    const answer = await chat.create({ model: "mk/chat", messages: ASK });
    assert.equal(answer.choices[0].message.content, "Hello there.");
    assert.equal(answer.choices[0].finish_reason, "stop");
    checkUsage(answer.usage);
  },

  async "a streamed chat gives usage when asked"() {
    const ask = { model: "mk/chat", messages: ASK, stream: true, stream_options: { include_usage: true } };
    const chunks = await gather(ask);
    assert.equal(textOf(chunks), "Hello there.");
    assert.deepEqual(chunks.at(-1).choices, []);
    checkUsage(chunks.at(-1).usage);
    assert.ok(chunks.slice(0, -1).every((chunk) => !chunk.usage), "usage comes once");
  },

  async "a streamed chat gives no usage when not asked"() {
    const chunks = await gather({ model: "mk/chat", messages: ASK, stream: true });
    assert.equal(textOf(chunks), "Hello there.");
    assert.ok(chunks.every((chunk) => chunk.choices.length > 0 && !chunk.usage));
    assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
  },

  async "the echo answers without an account"() {
    const messages = [{ role: "user", content: "hello, größe" }];
    const chunks = await gather({ model: "demo/echo", messages, stream: true });
    assert.match(textOf(chunks), /hello, größe/);
  },

  async "a tool is called and its result used"() {
    const first = await chat.create({ model: "mk/tools", messages: WEATHER, tools: TOOLS });
    const { finish_reason, message } = first.choices[0];
    assert.equal(finish_reason, "tool_calls");
    assert.equal(message.tool_calls.length, 1);
    const [call] = message.tool_calls;
    checkCall(call.id, call.function);
    const messages = [...WEATHER, message, toolSays(call.id)];
    const second = await chat.create({ model: "mk/tools", messages, tools: TOOLS });
    assert.equal(second.choices[0].message.content, "18 °C in Paris.");
  },

  async "a tool is called in a stream"() {
    const chunks = await gather({ model: "mk/tools", messages: WEATHER, tools: TOOLS, stream: true });
    const pieces = chunks.flatMap((chunk) => chunk.choices.flatMap((choice) => choice.delta.tool_calls ?? []));
    assert.ok(pieces.every((piece) => piece.index === 0));
    const joined = (pick) => pieces.map((piece) => pick(piece) ?? "").join("");
    const id = joined((piece) => piece.id);
    const name = joined((piece) => piece.function?.name);
    const called = { name, arguments: joined((piece) => piece.function?.arguments) };
    checkCall(id, called);
    assert.equal(chunks.at(-1).choices[0].finish_reason, "tool_calls");
    const said = { role: "assistant", tool_calls: [{ id, type: "function", function: called }] };
    const messages = [...WEATHER, said, toolSays(id)];
    assert.equal(textOf(await gather({ model: "mk/tools", messages, stream: true })), "18 °C in Paris.");
  },

  async "the SDK gathers a stream itself"() {
    const answer = await chat.stream({ model: "mk/tools", messages: WEATHER, tools: TOOLS }).finalChatCompletion();
    const [call] = answer.choices[0].message.tool_calls;
    checkCall(call.id, call.function);
  },

  async "images and unknown fields arrive as sent"() {
    const picture = Uint8Array.from({ length: 5000 }, (_, index) => (7 * index * index + index) % 256);
    const url = `data:image/png;base64,${Buffer.from(picture).toString("base64")}`;
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url, detail: "high" } },
    ];
    const schema = { name: "seen", schema: { type: "object", properties: { what: { type: "string" } } }, strict: true };
    const response_format = { type: "json_schema", json_schema: schema };
    const vendor_knob = { deep: [1, null, "x"] };
    const messages = [{ role: "user", content }];
    const answer = await chat.create({ model: "mk/inspect", messages, response_format, temperature: 0.25, vendor_knob });
    const seen = JSON.parse(answer.choices[0].message.content);
    assert.deepEqual(seen.texts, ["What is this?"]);
    assert.deepEqual(seen.images, [{ type: "image/png", bytes: 5000, sum: fletcher(picture), detail: "high" }]);
    assert.deepEqual(seen.fields.response_format, response_format);
    assert.equal(seen.fields.temperature, 0.25);
    assert.deepEqual(seen.fields.vendor_knob, vendor_knob);
  },

  async "an unknown model is refused"() {
    const error = await refused({ model: "nowhere/nothing", messages: ASK });
    assert.ok(error instanceof OpenAI.NotFoundError || error instanceof OpenAI.BadRequestError, error);
    assert.match(error.message, /nowhere/, "the refusal names what was asked for");
  },

  async "a wrong key is refused"() {
    const stranger = connect("sk-omni-nobody-has-this-key").chat.completions;
    const error = await refused({ model: "mk/chat", messages: ASK }, stranger);
    assert.ok(error instanceof OpenAI.AuthenticationError, error);
  },

  async "a busy provider says when to come back"() {
    const plain = await refused({ model: "mk/busy", messages: ASK });
    assert.ok(plain instanceof OpenAI.RateLimitError, plain);
    assert.equal(plain.headers.get("retry-after"), "7");
    const streamed = await refused({ model: "demo/rate-limited", messages: ASK, stream: true });
    assert.ok(streamed instanceof OpenAI.RateLimitError, streamed);
    assert.ok(Number(streamed.headers.get("retry-after")) > 0);
  },

  async "a provider that is down is told"() {
    const error = await refused({ model: "demo/down", messages: ASK });
    assert.ok(error instanceof OpenAI.InternalServerError, error);
    assert.equal(error.status, 503);
  },

  async "a stream that breaks throws"() {
    for (const model of ["mk/breaks", "mk/fails", "demo/broken-stream"]) {
      const chunks = [];
      const read = async () => {
        for await (const chunk of await chat.create({ model, messages: ASK, stream: true })) chunks.push(chunk);
      };
      const error = await read().then(() => assert.fail(`${model}: a broken stream looked whole`), (why) => why);
      assert.ok(error instanceof OpenAI.APIError, error);
      assert.ok(textOf(chunks), `${model}: something was said before it broke`);
      assert.ok(error.message && error.code, `${model}: ${error.message}: has a text and a code`);
    }
  },
};

async function gather(ask) {
  const chunks = [];
  for await (const chunk of await chat.create(ask)) chunks.push(chunk);
  return chunks;
}

async function refused(ask, by = chat) {
  const error = await by.create(ask).then(() => assert.fail(`${ask.model} answered`), (why) => why);
  assert.ok(error instanceof OpenAI.APIError, error);
  checkError(error);
  return error;
}

function checkError(error) {
  assert.ok(error.message && error.code, `${error.message}: has a text and a code`);
  assert.ok(error.error.request_id, "has a request id");
}

function checkUsage({ prompt_tokens, completion_tokens, total_tokens }) {
  assert.deepEqual([prompt_tokens, completion_tokens, total_tokens], [9, 3, 12]);
}

function checkCall(id, called) {
  assert.deepEqual([id, called.name], ["call_1", "get_weather"]);
  assert.deepEqual(JSON.parse(called.arguments), { city: "Paris" });
}

const toolSays = (tool_call_id) => ({ role: "tool", tool_call_id, content: "18C" });

const textOf = (chunks) =>
  chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta.content ?? "")).join("");

function fletcher(bytes) {
  let low = 0;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65535;
    high = (high + low) % 65535;
  }
  return high * 65536 + low;
}

let failed = 0;
console.log(`openai ${VERSION} on Node.js ${process.versions.node}`);
for (const [name, conversation] of Object.entries(conversations)) {
  try {
    await conversation();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
console.log(`${Object.keys(conversations).length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
