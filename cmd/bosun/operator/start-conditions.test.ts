import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import type { Client } from "../../../pkg/runtime/client.ts";
import { requireWorkspace } from "./start-conditions.ts";

const nothing = { list: async () => ({ items: [] }) } as unknown as Pick<Client, "list">;

test("where workspace.yaml is there and was refused, `up` says to mend it, not to run `bosun init`", async () => {
  const folder = { path: mkdtempSync(path.join(tmpdir(), "bosun-cmd-")) };
  try {
    await expect(requireWorkspace(nothing, "default", folder)).rejects.toThrow("`bosun init` writes one");
    writeFileSync(path.join(folder.path, "workspace.yaml"), "kind: [");
    await expect(requireWorkspace(nothing, "default", folder)).rejects.toThrow(
      /^No valid Workspace is declared in .*workspace\.yaml: .* Mend it, then start again\.$/,
    );
  } finally {
    rmSync(folder.path, { recursive: true, force: true });
  }
});
