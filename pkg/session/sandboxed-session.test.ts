/** Sessions whose spec requires a sandbox: whether there is one is found out once, in a namespace like theirs. */
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { needSandbox } from "../sandbox/testing/need-sandbox.ts";
import { openStage, type Stage } from "./testing/stage.ts";
import { openUpstream, type Turn, type Upstream } from "./testing/upstream.ts";

const opened: (Stage | Upstream)[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const look: Turn = { call: "bash", input: { command: 'echo "at home in $HOME"' } };
const handIn: Turn = {
  call: "request_review",
  input: { summary: "Nothing.", evidence: [{ criterion: "AC-1", evidence: "readme.txt" }] },
};

async function openStageAndUpstream(): Promise<{ stage: Stage; upstream: Upstream }> {
  const upstream = await openUpstream((_, index) => (index === 0 ? look : handIn));
  const stage = await openStage(upstream);
  opened.push(upstream, stage);
  return { stage, upstream };
}

/** Only these programs are found from here on. */
function findOnly(programs: readonly string[]): void {
  const before = process.env.PATH ?? "";
  const folder = mkdtempSync(join(tmpdir(), "bosun-programs-"));
  for (const program of programs) {
    const where = before.split(delimiter).map((entry) => join(entry, program));
    symlinkSync(where.find((file) => existsSync(file)) ?? program, join(folder, program));
  }
  process.env.PATH = folder;
  onTestFinished(() => {
    process.env.PATH = before;
    rmSync(folder, { recursive: true });
  });
}

test("a session that needs a sandbox runs its commands in one", async (context) => {
  needSandbox(context);
  const { stage } = await openStageAndUpstream();
  const spec = stage.spec({ sandbox: "Required" });
  await stage.sessions.start(spec);
  expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
  expect(stage.transcript(spec.id)).toContainEqual(
    expect.objectContaining({ type: "done", content: "at home in /tmp/home\n", isError: false }),
  );
});

test("a session that needs a sandbox where there is none fails, and asks the model nothing", async () => {
  const { stage, upstream } = await openStageAndUpstream();
  findOnly(["git", "bash", "sh", "node", "unshare", "true"]);
  const spec = stage.spec({ sandbox: "Required" });
  await stage.sessions.start(spec);
  expect(await stage.outcome(spec.id)).toEqual({
    kind: "Failed",
    reason: "SandboxUnavailable",
    message: expect.stringMatching(/`bwrap` is not on PATH|on Linux only/),
  });
  expect(upstream.requests).toEqual([]);
});
