import fc from "fast-check";
import { expect, test } from "vitest";
import { readJson } from "../../../pkg/encoding/json.ts";
import { encodeTransaction } from "../../../pkg/storage/log/state.ts";
import type { Change, Transaction } from "../../../pkg/storage/storage.ts";
import { ReadBack } from "./read-back.ts";

const change = (revision: number, said: unknown): Change => ({
  ...{ revision, resource: "bosun.dev/projects", namespace: "default", name: `p-${revision}` },
  object: { apiVersion: "bosun.dev/v1alpha1", kind: "Project", metadata: { name: "p" }, spec: { said } },
});
const payloadOf = (...changes: Change[]): string => `[${encodeTransaction({ changes }).json}]`;

test("a change that says what was written is that very change, each time", () => {
  const readBack = new ReadBack();
  const written = change(1, "a");
  readBack.written(written);
  for (const _time of ["first", "again"]) {
    const [transaction] = readBack.payload(payloadOf(written)) as Transaction[];
    expect(transaction?.changes[0]).toBe(written);
  }
});

test("a change that says something else is as the log has it, also once the right one was read", () => {
  const readBack = new ReadBack();
  readBack.written(change(1, "a"));
  readBack.payload(payloadOf(change(1, "a")));
  const [transaction] = readBack.payload(payloadOf(change(1, "b"))) as Transaction[];
  expect(transaction?.changes).toEqual([change(1, "b")]);
});

test("whatever a payload says is what `readJson` makes of it, on lines or not, known or not", () => {
  // As JSON has it, which knows no -0.
  const said = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  const changes = fc.uniqueArray(fc.tuple(fc.nat({ max: 20 }), said), {
    selector: ([revision]) => revision,
  });
  const files = fc.array(fc.record({ path: fc.string(), text: fc.string() }), { maxLength: 2 });
  fc.assert(
    fc.property(changes, files, fc.func(fc.boolean()), fc.boolean(), (made, files, isKnown, onLines) => {
      const readBack = new ReadBack();
      const all = made.map(([revision, said]) => change(revision, said));
      for (const each of all) if (isKnown(each.revision)) readBack.written(each);
      const { json } = encodeTransaction({ changes: all, files });
      for (const text of [json, `[${json}]`]) {
        const payload = onLines ? text : text.replaceAll("\n", "");
        for (const _time of ["first", "again"]) expect(readBack.payload(payload)).toEqual(readJson(payload));
      }
    }),
    { numRuns: 200 },
  );
});
