/** Each check of a promise reports a history in which the promise was broken, whoever broke it. */
import { expect, test } from "vitest";
import type { WorkspaceMode } from "../../../pkg/api/generated.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import type { Line } from "../../../pkg/gateway/ledger-lines.ts";
import { priceOf } from "../../../pkg/gateway/prices.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import { MemoryStorage } from "../../../pkg/storage/memory.ts";
import type { Change } from "../../../pkg/storage/storage.ts";
import { declare } from "../declare.ts";
import { watchInvariants } from "../invariants.ts";
import type { Host } from "../world/sessions.ts";
import { makeWorld, type World } from "../world.ts";
import { AcknowledgedWrites } from "./nothing-acknowledged-is-lost.ts";
import { actedElected } from "./one-owner.ts";
import { Stops } from "./stop-means-stop.ts";
import { SavedTexts } from "./your-files.ts";

const budget = { name: "all", uid: "u", daily: { usd: 1 }, timeZone: "UTC", selector: {} };

function reserved(id: string, { usd = 0.1, at = 1_767_600_000_000 } = {}): Line {
  const price = priceOf("claude-sonnet-5-5");
  if (price === undefined) throw new Error("The price file has lost the default model");
  return {
    ...{ seq: 1, at, step: "reserved", id, session: "s", run: 1, agent: "agent-1", pool: "builders" },
    ...{ project: "p", purpose: "execute", labels: {}, grants: [], model: price.model, maxTokens: 1 },
    ...{ inputTokens: 1, cost: usd * 1e9, tokens: 2, price },
  };
}

function host(id: string, more: Partial<SessionSpec> = {}): Host {
  const claim = { kind: "Project", name: "p", uid: "p", number: 1 } as const;
  const spec = { id, run: 1, agent: "agent-1", pool: "builders", purpose: "execute", claim, project: "p" };
  return { spec: { ...spec, ...more } as SessionSpec, pid: 1, startedAtMs: 0 } as Host;
}

const broken: Record<string, (world: World) => unknown> = {
  "1, no overspend: all allows 1 USD": async ({ money }) => {
    await money.setBudgets([budget]);
    for (const id of ["a", "b", "c"]) money.events.line?.(reserved(id, { usd: 0.4 }));
  },
  "1, no overspend: all allows 1 USD in .*, and 1.1 are": async ({ money, upstream }) => {
    await money.setBudgets([budget]);
    money.events.line?.(reserved("a", { usd: 0.9 }));
    money.events.line?.({ seq: 2, at: 0, step: "released", id: "a", why: "never sent" });
    money.events.line?.(reserved("b", { usd: 0.1 }));
    // Billed all the same, after its ledger had given the money back.
    upstream.bill("a", { cost: 0.9e9, tokens: 2 });
    money.events.line?.(reserved("c", { usd: 0.1 }));
  },
  "1, no overspend: request a was billed": ({ money, upstream }) => {
    money.events.line?.(reserved("a"));
    upstream.bill("a", { cost: 5, tokens: 5 });
    money.events.line?.({ seq: 2, at: 0, step: "unsettled", id: "a", why: "cut", cost: 4, tokens: 5 });
  },
  "1, no overspend: a reservation was counted at .* yet to come": ({ money, upstream }) =>
    money.events.line?.(reserved("a", { at: upstream.trueMs + 3_600_000 })),
  "3, one owner: agent-1 has two hosts": ({ sessions }) => {
    sessions.hosts = () => [host("one"), host("two")];
    sessions.events.started?.(host("two"));
  },
  "3, one owner: claim 2 of p was never made": ({ repository }) =>
    repository.events.collected?.(
      { project: "p", number: 2, agent: "agent-1" },
      "branch",
      repository.userHead,
    ),
  "3, one owner: operator two 1 acted while operator one 3 was elected": () =>
    actedElected("operator two 1", "operator one 3"),
  "4, stop means stop: agent-1 was started under the stop latch": async ({ latch, sessions }) => {
    await latch.engage();
    sessions.events.started?.(host("one"));
  },
  "4, stop means stop: a request was sent under the stop latch": async ({ latch, upstream }) => {
    await latch.engage();
    upstream.onTake();
  },
  "4, stop means stop: agent-1 go on": async ({ latch, sessions }) => {
    sessions.hosts = () => [host("one")];
    latch.onEngaged = () => {};
    await latch.engage();
  },
  "4, stop means stop: the Workspace was stopped for 400 s, and no latch was written": async (world) => {
    const stops = new Stops(world, "Files");
    const workspace = (mode: WorkspaceMode) =>
      ({ ...declare.workspace({ mode }), metadata: { name: "workspace" } }) as unknown as KubeObject;
    stops.see(workspace("Stopped"));
    void world.scheduler.world.clock.sleep(400_000);
    await world.scheduler.run({ untilMs: 400_000 });
    stops.see(workspace("Running"));
  },
  "5, nothing merges that did not pass: .* no Project had announced it": async ({ repository }) => {
    const from = repository.targetHead;
    const { tree } = repository.objects.get(from);
    const { id } = repository.objects.add({ parents: [from], tree, subject: "A merge of nobody's" });
    await repository.swapTarget(from, id);
  },
  "6, your files are yours: the branch moved to .* under uncommitted work": ({ repository }) => {
    repository.userIsDirty = true;
    repository.events.followed?.(repository.userHead, repository.userHead);
  },
  "6, your files are yours: projects/p1.yaml has lost the comment # mine": () => {
    const saved = new SavedTexts();
    saved.saved("projects/p1.yaml", "# mine\nkind: Project\n");
    saved.seen("projects/p1.yaml", "kind: Project\n");
  },
  "7, resume, not restart: claim .* went on in session two instead of one": ({ sessions }) => {
    sessions.events.started?.(host("one"));
    sessions.events.started?.(host("two"));
  },
  "7, resume, not restart: host h paid for turns 3 and 4 again": ({ money }) => {
    for (const turn of [3, 4])
      money.events.line?.({ ...reserved(`r${turn}`), host: "h", turn, resume: "before" } as Line);
  },
};

for (const [promise, breakIt] of Object.entries(broken))
  test(`a broken promise is reported: ${promise}`, async () => {
    const world = await makeWorld({ seed: 1 });
    watchInvariants(world);
    await expect((async () => breakIt(world))()).rejects.toThrow(new RegExp(`^Promise ${promise}`));
  });

test("what is paused is held, from when it was told until it is let go, heard of or not", async () => {
  const world = await makeWorld({ seed: 1 });
  const { api, sessions, scheduler } = world;
  watchInvariants(world);
  const pool = { namespace: "default", name: "builders" };
  await api.create("AgentPool", declare.pool("builders", "Execution", 1));
  await api.patch("AgentPool", pool, { spec: { paused: true } });
  void scheduler.world.clock.sleep(600_000);
  await scheduler.run({ untilMs: 600_000 });
  expect(() => sessions.events.started?.(host("one"))).toThrow(/although AgentPool\/builders is held/);
  await api.patch("AgentPool", pool, { spec: { paused: false } });
  expect(() => sessions.events.started?.(host("one"))).not.toThrow();
});

const change: Change = {
  ...{ revision: 1, resource: "bosun.dev/projects", namespace: "default", name: "p" },
  object: {
    ...{ apiVersion: "bosun.dev/v1alpha1", kind: "Project" },
    metadata: { name: "p", resourceVersion: "1" },
  },
};

test("a broken promise is reported: 2, nothing acknowledged is lost", async () => {
  const book = new AcknowledgedWrites(() => {});
  const storage = book.watch(new MemoryStorage());
  await storage.open();
  await storage.commit({ changes: [change] });
  await expect(storage.open()).resolves.toBeDefined();
  await expect(book.watch(new MemoryStorage()).open()).rejects.toThrow(
    /^Promise 2, nothing acknowledged is lost/,
  );
});
