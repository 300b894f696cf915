import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { temporaryWorkspace } from "../testing/operator.ts";
import { takenOver } from "./taken-over.ts";

test("an operator whose folder was removed says that: it spoke of another that had taken over", () => {
  const folder = temporaryWorkspace();
  expect(takenOver(folder).message).toContain("Another operator has taken over this workspace");
  rmSync(folder.operator, { recursive: true });
  expect(takenOver(folder).message).toMatch(
    /\.bosun was removed while the operator ran.*If you moved it, `bosun up`/,
  );
  rmSync(folder.repository, { recursive: true });
});
