import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { openUpstream, type Turn } from "../testing/upstream.ts";
import { OwnHeaders } from "./own-headers.ts";

const name = fc.constantFrom("Accept", "accept", "X-Api-Key", "Retry-After", "Set-Cookie", "content-type");
const value = fc.stringMatching(/^[ \t]?[!-~]{0,5}( [!-~]+)?[ \t]?$/);
const step = fc.oneof(
  fc.record({ do: fc.constantFrom("append" as const, "set" as const), name, value }),
  fc.record({ do: fc.constant("delete" as const), name }),
);

test("headers are what those of Node are", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.array(step), name, (begin, steps, asked) => {
      const [own, theirs] = [OwnHeaders, Headers].map((Kind) => {
        const headers = new Kind(new Kind(begin));
        for (const one of steps) {
          if (one.do === "delete") headers.delete(one.name);
          else headers[one.do](one.name, one.value);
        }
        const each: string[] = [];
        headers.forEach((line, of) => {
          each.push(`${of}: ${line}`);
        });
        return {
          entries: [...headers],
          names: [...headers.keys()],
          values: [...headers.values()],
          asked: [headers.get(asked), headers.has(asked)],
          cookies: headers.getSetCookie(),
          each,
        };
      });
      expect(own).toEqual(theirs);
    }),
  );
});

test("headers begin with the fields of an object", () => {
  expect([...new OwnHeaders({ "X-Should-Retry": "true", accept: "text/plain" })]).toEqual([
    ["accept", "text/plain"],
    ["x-should-retry", "true"],
  ]);
});

test("a process that asks the model through the SDK loads neither Node's `fetch` nor web streams", async () => {
  const refusal: Turn = { status: 529, message: "overloaded", headers: { "retry-after": "3" } };
  const upstream = await openUpstream((_, index) => (index === 0 ? { say: "Hello." } : refusal));
  onTestFinished(() => upstream.close());
  const module = (file: string) => JSON.stringify(path.join(import.meta.dirname, file));
  const program = `
    import { replaceFetchClasses } from ${module("own-headers.ts")};
    replaceFetchClasses();
    const { sdkModel } = await import(${module("model.ts")});
    const { systemClock } = await import(${module("../../system/system.ts")});
    const model = sdkModel({
      access: () => ({ url: process.argv[1], token: "token" }),
      ...{ host: "host-1", clock: systemClock, onAsked() {}, onActivity() {} },
    });
    const messages = [{ role: "user", content: [{ type: "text", text: "Go." }] }];
    const request = { turn: 1, model: "claude-sonnet-5-5", maxTokens: 10, system: "", messages, tools: [] };
    const turn = await model.ask(request);
    const { is, answer } = await model.ask(request);
    const loaded = process.moduleLoadList.filter((name) => /undici|webstreams/.test(name));
    console.log(JSON.stringify({ content: turn.content, is, status: answer.status, after: answer.headers.get("retry-after"), loaded }));`;
  const args = ["--no-warnings", "--input-type=module", "--eval", program, upstream.url];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    content: [{ type: "text", text: "Hello." }],
    is: "error",
    status: 529,
    after: "3",
    loaded: [],
  });
});
