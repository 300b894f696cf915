import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryWorkspace } from "../testing/operator.ts";
import { takenOver } from "./taken-over.ts";

test("an operator whose folder or lock was removed says that: it spoke of another that had taken over", () => {
  const folder = temporaryWorkspace();
  const lock = path.join(folder.operator, "lock");
  mkdirSync(lock, { recursive: true });
  writeFileSync(path.join(lock, "2.json"), "{}");
  expect(takenOver(folder).message).toContain("Another operator has taken over this workspace");
  rmSync(path.join(lock, "2.json"));
  expect(takenOver(folder).message).toMatch(/lock, .* was removed while this one ran.*`bosun up` goes on/);
  rmSync(lock, { recursive: true });
  expect(takenOver(folder).message).toMatch(/lock, .* was removed while this one ran/);
  rmSync(folder.operator, { recursive: true });
  expect(takenOver(folder).message).toMatch(
    /\.bosun was removed while the operator ran.*If you moved it, `bosun up`/,
  );
  rmSync(folder.repository, { recursive: true });
});

test("an operator that can't read why it lost the lock ends in order, and says what may be: it ended with a stack", () => {
  const folder = temporaryWorkspace();
  onTestFinished(() => rmSync(folder.repository, { recursive: true }));
  const lock = path.join(folder.operator, "lock");
  writeFileSync(lock, "");
  expect(takenOver(folder).message).toMatch(
    /Another operator has taken over .*, or .*lock .* can't be read.*`bosun up` goes on/,
  );
});
