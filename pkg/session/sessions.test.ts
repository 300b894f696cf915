import { afterEach, expect, test } from "vitest";
import { openStage, type Stage } from "./testing/stage.ts";
import { openUpstream, type Turn, type Upstream } from "./testing/upstream.ts";

const opened: (Stage | Upstream)[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function stageWith(turns: readonly Turn[] | ((index: number) => Turn)) {
  const turnAt =
    typeof turns === "function" ? turns : (index: number) => turns[index] ?? { say: "Nothing left." };
  const upstream = await openUpstream((_request, index) => turnAt(index));
  opened.push(upstream);
  const stage = await openStage(upstream);
  opened.push(stage);
  return { upstream, stage };
}

const commit = { call: "bash", input: { command: "git add -A && git commit -qm 'Say more'" } };
const handIn = {
  call: "request_review",
  input: { summary: "It says more.", evidence: [{ criterion: "AC-1", evidence: "more.txt" }] },
};

test("a session writes, commits, reports its tasks, hands in, and its outcome is found", async () => {
  const { upstream, stage } = await stageWith([
    { call: "write_file", input: { path: "more.txt", content: "more\n" } },
    { ...commit },
    { call: "task_done", input: { task: "T-1" } },
    handIn,
  ]);
  const spec = stage.spec();
  await stage.sessions.start(spec);

  expect(await stage.outcome(spec.id)).toEqual({
    kind: "Finished",
    summary: "It says more.",
    evidence: [{ criterion: "AC-1", evidence: "more.txt" }],
  });
  expect(stage.git("show", "HEAD:more.txt")).toBe("more\n");
  const seen = await stage.sessions.find(spec.id);
  expect(seen).toMatchObject({ is: "absent", report: { run: 1, turns: 4, tasksDone: ["T-1"], busy: false } });
  expect(upstream.authorizations).toContain(`Bearer ${spec.id}/1`);
  expect(await stage.sessions.running()).toEqual([]);
});
