import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Block,
  bytesOfMessages,
  bytesOfRequest,
  type Message,
  withoutCacheControl,
} from "./messages-request.ts";

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"\n\\', "\ud800", "Grüße"));
const leaf = fc.record({ type: fc.constant("text"), text });
const block = fc.record(
  {
    type: fc.constant("tool_result"),
    content: fc.oneof(text, fc.array(leaf, { maxLength: 2 })),
    cache_control: fc.constant({ type: "ephemeral" }),
  },
  { requiredKeys: ["type"] },
);
const messages: fc.Arbitrary<Message[]> = fc.array(
  fc.record({ role: fc.constant("user"), content: fc.oneof(text, fc.array(block, { maxLength: 3 })) }),
  { maxLength: 4 },
);

test("the bytes of a request and of its messages are those of their JSON", () => {
  fc.assert(
    fc.property(messages, text, (list, system) => {
      const request = { model: "m", messages: list, max_tokens: 1, system };
      expect(bytesOfRequest(request)).toBe(Buffer.byteLength(JSON.stringify(request)));
      expect(bytesOfMessages(list)).toBe(Buffer.byteLength(JSON.stringify(list)));
    }),
  );
});

test("a list without cache_control stays itself, any other loses nothing else", () => {
  fc.assert(
    fc.property(fc.array(block), (blocks: Block[]) => {
      const plain = withoutCacheControl(blocks);
      const wanted = blocks.map(({ cache_control: _, ...rest }) => rest);
      expect(plain).toEqual(wanted);
      expect(plain === blocks).toBe(!blocks.some((one) => "cache_control" in one));
    }),
  );
});
