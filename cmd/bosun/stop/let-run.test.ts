import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fileStopLatch } from "../../../pkg/session/file-stop-latch.ts";
import { startOperator } from "../testing/operator.ts";
import { letRun } from "./let-run.ts";

const stopped =
  "{ apiVersion: bosun.dev/v1alpha1, kind: Workspace, metadata: { name: library }, spec: { mode: Stopped } }";
const key = { namespace: "default", name: "library" };

test("a stop that begins while a person resumes, and is noted, is not ended by the mode that comes after it", async () => {
  await using operator = await startOperator(stopped);
  const { client, folder } = operator;
  const latch = fileStopLatch(folder.stopLatch);
  const resuming = letRun(
    {
      ...client,
      namespace: "default",
      async patch(kind, at, body, options) {
        writeFileSync(folder.stopLatch, "");
        const stop = { name: "the new one", declared: true, generation: 1 };
        await client.patch("Workspace", key, { status: { stop } }, { subresource: "status" });
        return await client.patch(kind, at, body, options);
      },
    },
    latch,
  );
  await expect(resuming).rejects.toThrow("stopped again meanwhile");
  expect((await client.get("Workspace", key))?.spec.mode).toBe("Stopped");
  expect(existsSync(folder.stopLatch)).toBe(true);
});

test("a stop that begins right before the Workspace is read is not ended by the mode that comes after it", async () => {
  await using operator = await startOperator(stopped);
  const { client, folder } = operator;
  const resuming = letRun(
    {
      ...client,
      namespace: "default",
      async list(kind, options) {
        writeFileSync(folder.stopLatch, "");
        const stop = { name: "the new one", declared: true, generation: 1 };
        await client.patch("Workspace", key, { status: { stop } }, { subresource: "status" });
        return await client.list(kind, options);
      },
    },
    fileStopLatch(folder.stopLatch),
  );
  await expect(resuming).rejects.toThrow("stopped again meanwhile");
  expect((await client.get("Workspace", key))?.spec.mode).toBe("Stopped");
});

test("whatever else is written to the Workspace meanwhile keeps nobody from resuming", async () => {
  await using operator = await startOperator(stopped);
  const { client, folder } = operator;
  let writes = 3;
  await letRun(
    {
      ...client,
      namespace: "default",
      async patch(kind, at, body, options) {
        writes -= 1;
        if (writes > 0)
          await client.patch("Workspace", key, { status: { lastNumber: writes } }, { subresource: "status" });
        return await client.patch(kind, at, body, options);
      },
    },
    fileStopLatch(folder.stopLatch),
  );
  expect((await client.get("Workspace", key))?.spec.mode).toBe("Running");
});

test("a Workspace that can't be written is told of at once", async () => {
  await using operator = await startOperator(stopped);
  const { client, folder } = operator;
  let tries = 0;
  const refusing = {
    ...client,
    namespace: "default",
    async patch(): Promise<never> {
      tries += 1;
      throw tries === 1 ? new Error("The disk is full.") : new Error("It was tried again.");
    },
  };
  const resuming = letRun(refusing, fileStopLatch(folder.stopLatch));
  await expect(resuming).rejects.toThrow("The disk is full.");
});
