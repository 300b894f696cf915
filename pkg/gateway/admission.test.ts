import { describe, expect, test } from "vitest";
import { admit } from "./admission.ts";

const MINIMAL = { model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
const IMAGE = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };

function withContent(...content: object[]): object {
  return { ...MINIMAL, messages: [{ role: "user", content }] };
}

describe("what passes", () => {
  test.each([
    ["a plain message", MINIMAL],
    [
      "system blocks and cache breakpoints",
      {
        ...MINIMAL,
        system: [{ type: "text", text: "Be brief", cache_control: { type: "ephemeral", ttl: "1h" } }],
      },
    ],
    [
      "a system entry among the messages",
      { ...MINIMAL, messages: [...MINIMAL.messages, { role: "system", content: "environment" }] },
    ],
    [
      "client tools",
      {
        ...MINIMAL,
        tools: [
          { name: "a", input_schema: {} },
          { type: "custom", name: "b", input_schema: {} },
          { type: "bash_20250124", name: "bash" },
        ],
        tool_choice: { type: "auto" },
      },
    ],
    [
      "thinking, output_config, metadata and sampling",
      {
        ...MINIMAL,
        thinking: { type: "adaptive" },
        output_config: { effort: "medium" },
        metadata: { user_id: "u" },
        stream: true,
        temperature: 1,
        top_p: 1,
        top_k: 5,
        stop_sequences: ["x"],
      },
    ],
    [
      "clearing of context",
      {
        ...MINIMAL,
        context_management: {
          edits: [{ type: "clear_tool_uses_20250919" }, { type: "clear_thinking_20251015" }],
        },
      },
    ],
    [
      "images by value, in tool results too",
      withContent(IMAGE, {
        type: "tool_result",
        tool_use_id: "t",
        content: [IMAGE, { type: "text", text: "x" }],
      }),
    ],
    [
      "a turn with tool use and thinking",
      withContent(
        { type: "tool_use", id: "t", name: "n", input: { content: [{ type: "document" }] } },
        { type: "thinking", thinking: "", signature: "s" },
        { type: "redacted_thinking", data: "d" },
      ),
    ],
  ])("%s", (_name, body) => {
    expect(admit(body)).toEqual({
      admitted: true,
      request: { ...body, service_tier: "standard_only" },
      priceFactor: 1,
    });
  });

  test("the service tier is set to standard_only, and not for counting", () => {
    expect(admit({ ...MINIMAL, service_tier: "standard_only" })).toMatchObject({
      request: { service_tier: "standard_only" },
    });
    const { max_tokens: _, ...counted } = MINIMAL;
    expect(admit(counted, { counting: true })).toEqual({ admitted: true, request: counted, priceFactor: 1 });
  });
});

describe("what is refused, by name", () => {
  test.each([
    ["thread", { ...MINIMAL, thread: { type: "create" } }],
    ["fallbacks", { ...MINIMAL, fallbacks: [{ model: "claude-opus-5-5" }] }],
    ["speed", { ...MINIMAL, speed: "fast" }],
    ["service_tier", { ...MINIMAL, service_tier: "auto" }],
    ["mcp_servers", { ...MINIMAL, mcp_servers: [] }],
    ["container", { ...MINIMAL, container: "c" }],
    ["inference_geo", { ...MINIMAL, inference_geo: "us" }],
    ["web_search_20250305", { ...MINIMAL, tools: [{ type: "web_search_20250305", name: "web_search" }] }],
    ["code_execution_20250825", { ...MINIMAL, tools: [{ type: "code_execution_20250825", name: "code" }] }],
    ["mcp_toolset", { ...MINIMAL, tools: [{ type: "mcp_toolset", mcp_server_name: "x" }] }],
    ["compact_20260112", { ...MINIMAL, context_management: { edits: [{ type: "compact_20260112" }] } }],
    ["url", withContent({ type: "image", source: { type: "url", url: "http://x" } })],
    ["file", withContent({ type: "image", source: { type: "file", file_id: "f" } })],
    [
      "document",
      withContent({
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "AAAA" },
      }),
    ],
    [
      "document",
      withContent({
        type: "tool_result",
        tool_use_id: "t",
        content: [{ type: "document", source: { type: "text", data: "x" } }],
      }),
    ],
    ["server_tool_use", withContent({ type: "server_tool_use", id: "t", name: "web_search", input: {} })],
    ["container_upload", withContent({ type: "container_upload", file_id: "f" })],
    ["24h", { ...MINIMAL, cache_control: { type: "ephemeral", ttl: "24h" } }],
  ])("%s", (name, body) => {
    const answer = admit(body);
    expect(answer).toMatchObject({ admitted: false, message: expect.stringContaining(`\`${name}\``) });
  });

  test.each([
    ["the body is no object", []],
    ["there is no model", { ...MINIMAL, model: 5 }],
    ["there are no messages", { ...MINIMAL, messages: [] }],
    ["a message is no object", { ...MINIMAL, messages: ["Hi"] }],
    ["content is neither text nor blocks", { ...MINIMAL, messages: [{ role: "user", content: 5 }] }],
    ["a block has no type", withContent({ text: "x" })],
    ["a nested block is null", withContent({ type: "tool_result", content: [null] })],
    ["tools are no list", { ...MINIMAL, tools: { name: "x" } }],
    ["max_tokens is missing", { ...MINIMAL, max_tokens: undefined }],
    ["max_tokens is no count", { ...MINIMAL, max_tokens: -5 }],
    ["max_tokens is too large to count with", { ...MINIMAL, max_tokens: 1e300 }],
  ])("because %s", (_name, body) => {
    expect(admit(body)).toMatchObject({ admitted: false });
  });
});

test("a setting of the workspace admits what it names, at its factor, and nothing else", () => {
  const admitted = [
    { field: "speed", priceFactor: 6 },
    { field: "inference_geo", priceFactor: 1.1 },
  ];
  expect(admit({ ...MINIMAL, speed: "fast" }, { admitted })).toMatchObject({
    admitted: true,
    priceFactor: 6,
  });
  expect(admit({ ...MINIMAL, speed: "fast", inference_geo: "us" }, { admitted })).toMatchObject({
    priceFactor: 6 * 1.1,
  });
  expect(admit({ ...MINIMAL, speed: "fast", fallbacks: [] }, { admitted })).toMatchObject({
    admitted: false,
  });
});
