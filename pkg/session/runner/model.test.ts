import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../system/system.ts";
import { openUpstream, type Turn, type Upstream } from "../testing/upstream.ts";
import { type ModelOptions, sdkModel } from "./model.ts";

const opened: Upstream[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function ask(turn: Turn) {
  const upstream = await openUpstream(() => turn);
  opened.push(upstream);
  return { upstream, answer: await askAt(upstream.url) };
}

function askAt(url: string, more: Partial<ModelOptions> = {}) {
  const model = sdkModel({
    access: () => ({ url, token: "token" }),
    host: "host-1",
    clock: systemClock,
    onAsked: () => undefined,
    onActivity: () => undefined,
    silenceTimeoutSeconds: 60,
    ...more,
  });
  return model.ask({
    turn: 1,
    model: "claude-sonnet-5-5",
    maxTokens: 4000,
    system: "You are an agent.",
    messages: [{ role: "user", content: [{ type: "text", text: "Go." }] }],
    tools: [{ name: "bash", input_schema: { type: "object" } }],
  });
}

describe("what comes of one request", () => {
  test("a turn comes back as it is to be sent again", async () => {
    const { answer } = await ask({ call: "bash", input: { command: "ls" }, say: "I look." });
    expect(answer).toEqual({
      is: "turn",
      content: [
        { type: "text", text: "I look." },
        { type: "tool_use", id: "call_1_0", name: "bash", input: { command: "ls" } },
      ],
      stopReason: "tool_use",
      inputTokens: 10,
    });
  });

  test("a call that ran into the limit of tokens is not made", async () => {
    const { answer } = await ask({ call: "bash", partial: '{"command": "rm -rf bui' });
    expect(answer).toMatchObject({ is: "turn", content: [], stopReason: "max_tokens" });
  });

  test("an error status comes back with its headers, and the SDK asked once", async () => {
    const { upstream, answer } = await ask({
      status: 529,
      message: "overloaded",
      headers: { "retry-after": "3" },
    });
    expect(answer).toMatchObject({ is: "error", answer: { status: 529 } });
    expect(answer.is === "error" && answer.answer.headers.get("retry-after")).toBe("3");
    expect(upstream.requests).toHaveLength(1);
  });

  test.each([
    ["an upstream's with its status", {}, "400 api_error: no such model"],
    [
      "the gateway's without the reason that goes beside it",
      { "x-bosun-reason": "NoBudget" },
      "there is none",
    ],
  ])("what an error says is told in its words, not in its JSON: %s", async (_, headers, said) => {
    const message = "x-bosun-reason" in headers ? "NoBudget: there is none" : "no such model";
    const { answer } = await ask({ status: 400, message, headers });
    expect(answer).toMatchObject({ answer: { message: said } });
  });

  test("an answer that breaks off is lost", async () => {
    expect((await ask({ cut: true })).answer).toMatchObject({ is: "lost" });
  });

  test("an answer that falls silent is given up", async () => {
    const upstream = await openUpstream(() => ({ stall: true }));
    opened.push(upstream);
    const answer = await askAt(upstream.url, { silenceTimeoutSeconds: 0.2 });
    expect(answer).toEqual({ is: "lost", why: "Nothing was received for 0.2 seconds." });
  });

  test("an answer that goes on for ever, saying nothing, is given up after an hour", async () => {
    const upstream = await openUpstream(() => ({ pings: true }));
    opened.push(upstream);
    let elapsedMs = 0;
    const answer = await askAt(upstream.url, {
      clock: {
        ...systemClock,
        elapsed: () => elapsedMs,
        sleep: (_ms, signal) => systemClock.sleep(1, signal),
      },
      onActivity() {
        elapsedMs += 100_000;
      },
      silenceTimeoutSeconds: 180,
    });
    expect(answer).toEqual({ is: "lost", why: "The answer took longer than 3600 seconds." });
  });

  test("nobody listening means that nothing was sent", async () => {
    const upstream = await openUpstream(() => ({ say: "?" }));
    await upstream.close();
    expect(await askAt(upstream.url)).toMatchObject({ is: "unsent" });
  });
});
