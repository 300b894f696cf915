/** JSON Schema of a body of `/v1/messages`, as strict as the API where the rehearsal's clients can go wrong. */

const cacheControl = {
  type: ["object", "null"],
  required: ["type"],
  properties: { type: { const: "ephemeral" }, ttl: { enum: ["5m", "1h"] } },
  additionalProperties: false,
};

const textBlock = {
  type: "object",
  required: ["type", "text"],
  properties: {
    type: { const: "text" },
    text: { type: "string", minLength: 1 },
    cache_control: cacheControl,
  },
};

const imageBlock = { type: "object", required: ["type", "source"], properties: { type: { const: "image" } } };
const documentBlock = {
  type: "object",
  required: ["type", "source"],
  properties: { type: { const: "document" } },
};

const toolResultBlock = {
  type: "object",
  required: ["type", "tool_use_id"],
  properties: {
    type: { const: "tool_result" },
    tool_use_id: { type: "string", pattern: "^[a-zA-Z0-9_-]+$" },
    is_error: { type: "boolean" },
    content: {
      oneOf: [{ type: "string" }, { type: "array", items: blocks({ text: textBlock, image: imageBlock }) }],
    },
    cache_control: cacheControl,
  },
  additionalProperties: false,
};

const toolUseBlock = {
  type: "object",
  required: ["type", "id", "name", "input"],
  properties: {
    type: { const: "tool_use" },
    id: { type: "string", pattern: "^[a-zA-Z0-9_-]+$" },
    name: { type: "string", pattern: "^[a-zA-Z0-9_-]{1,128}$" },
    input: { type: "object" },
    cache_control: cacheControl,
  },
};

const thinkingBlock = {
  type: "object",
  required: ["type", "thinking", "signature"],
  properties: { type: {} },
};
const redactedBlock = { type: "object", required: ["type", "data"], properties: { type: {} } };

const userBlocks = {
  text: textBlock,
  image: imageBlock,
  document: documentBlock,
  tool_result: toolResultBlock,
};
const assistantBlocks = {
  text: textBlock,
  tool_use: toolUseBlock,
  thinking: thinkingBlock,
  redacted_thinking: redactedBlock,
};

const message = {
  type: "object",
  required: ["role", "content"],
  discriminator: { propertyName: "role" },
  oneOf: [role("user", userBlocks), role("assistant", assistantBlocks), role("system", { text: textBlock })],
};

const tool = {
  type: "object",
  required: ["name", "input_schema"],
  properties: {
    type: { enum: ["custom", null] },
    name: { type: "string", pattern: "^[a-zA-Z0-9_-]{1,128}$" },
    description: { type: "string" },
    input_schema: { type: "object", required: ["type"], properties: { type: { const: "object" } } },
    cache_control: cacheControl,
  },
};

const shared = {
  model: { type: "string", minLength: 1, maxLength: 256 },
  messages: { type: "array", minItems: 1, items: message },
  system: { anyOf: [{ type: "string" }, { type: "array", items: textBlock }] },
  tools: { type: "array", items: tool },
  tool_choice: {
    type: "object",
    required: ["type"],
    properties: { type: { enum: ["auto", "any", "tool", "none"] } },
  },
  thinking: { type: "object", required: ["type"] },
  output_config: { type: "object" },
  context_management: { type: ["object", "null"] },
  cache_control: cacheControl,
};

export const messagesSchema = {
  type: "object",
  required: ["model", "max_tokens", "messages"],
  properties: {
    ...shared,
    max_tokens: { type: "integer", minimum: 1, maximum: 128_000 },
    stream: { type: "boolean" },
    metadata: { type: "object", properties: { user_id: { type: ["string", "null"], maxLength: 512 } } },
    temperature: { type: "number", minimum: 0, maximum: 1 },
    top_p: { type: "number", minimum: 0, maximum: 1 },
    top_k: { type: "integer", minimum: 0 },
    stop_sequences: { type: "array", items: { type: "string" } },
    service_tier: { enum: ["auto", "standard_only"] },
  },
  additionalProperties: false,
};

export const countTokensSchema = {
  type: "object",
  required: ["model", "messages"],
  properties: shared,
  additionalProperties: false,
};

function role(name: string, allowed: Record<string, object>): object {
  return {
    properties: {
      role: { const: name },
      content: {
        anyOf: [
          { type: "string", minLength: 1 },
          { type: "array", minItems: 1, items: blocks(allowed) },
        ],
      },
    },
    additionalProperties: false,
  };
}

function blocks(allowed: Record<string, object>): object {
  return {
    type: "object",
    required: ["type"],
    properties: { type: { enum: Object.keys(allowed) } },
    allOf: Object.entries(allowed).map(([type, schema]) => ({
      if: { properties: { type: { const: type } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: schema,
    })),
  };
}
