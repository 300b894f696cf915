/**
 * Cluster mode with processes: the cluster is an API server of ours in a process of its own, reached over HTTPS by its
 * kubeconfig, and a real one where one is named.
 */
import { existsSync, globSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { KINDS } from "../../../pkg/api/generated.ts";
import { type ClusterChoice, readCluster } from "../../../pkg/cluster/kubeconfig.ts";
import type { Kind } from "../../../pkg/runtime/client.ts";
import { type FaultProxy, faultProxy } from "../../support/fault-proxy.ts";
import { realCluster, withoutCluster } from "../../support/real-cluster.ts";
import { rightOf, rightsOf } from "../../support/rights.ts";
import { letGo, waitingCheckout } from "../owner/elsewhere.ts";
import { type Place, placeIn, placeOnOurs } from "./place.ts";
import { type Scratch, scratch } from "./scratch.ts";

const manifests = path.resolve(import.meta.dirname, "../../../manifests");
const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => KINDS[kind].group === "bosun.dev");
const clusters: [string, () => Promise<Place>][] = [["an API server of ours", placeOnOurs]];
// A real cluster is no part of a fresh machine, and what runs on one of ours runs here too: its absence is said, never silent.
if (realCluster === undefined) test.skip(withoutCluster);
else {
  const cluster = realCluster;
  clusters.push(["a real cluster", () => placeIn(cluster)]);
}

describe.each(clusters)("%s", (_, start) => {
  test("a workspace goes into a cluster and back with its status, and work goes on in both", async () => {
    const place = await start();
    const here = scratch({ projects: { one: {} } });
    const first = here.rehearse();
    const before = await here.phase("one", "Done");
    await first.end();

    expect(await moveIn(here, place)).toContain("Copied Project one");
    expect(await place.list("projects")).toMatchObject([
      { metadata: { name: "one" }, status: { phase: "Done", number: before.status?.number } },
    ]);
    const second = here.rehearse();
    await second.ready();
    await here.client.create("Project", {
      apiVersion: "bosun.dev/v1alpha1",
      kind: "Project",
      metadata: { name: "two", namespace: place.namespace },
      spec: { title: "Write two", acceptanceCriteria: [{ id: "AC-1", text: "There is a note on two." }] },
    } as never);
    const two = await here.phase("two", "Done");
    expect(two.status?.number).toBe((before.status?.number ?? 0) + 1);
    expect(await place.list("projects")).toMatchObject([
      { status: { phase: "Done" } },
      { status: { phase: "Done" } },
    ]);
    await second.end();

    expect(await here.tell("export")).toContain("Copied Project two");
    expect(here.read("projects/two.yaml")).toContain("title: Write two");
    const third = here.rehearse();
    await third.ready();
    expect((await here.project("two")).status).toMatchObject({ phase: "Done", number: two.status?.number });
    await third.end();
    expect(await here.left()).toEqual([]);
  });

  test("of two operators one acts, the other says so, and takes over when the first is killed", async () => {
    const place = await start();
    const here = scratch({ projects: { one: { description: "[test: slow]" } } });
    await moveIn(here, place);
    const first = here.rehearse();
    await first.ready();
    await here.phase("one", "Working");
    const second = here.rehearse();
    await here.until("the second to say whom it waits for", () =>
      second.output().includes("Another operator acts: "),
    );
    expect(second.output()).not.toContain("The operator runs");

    first.signal("SIGKILL");
    await second.ready();
    await here.phase("one", "Done");
    await second.end();
    expect(await here.left()).toEqual([]);
  });

  test("an operator in another folder leaves the work alone that it does not have", async () => {
    const place = await start();
    const here = scratch({ projects: { one: {} } });
    await moveIn(here, place);
    const elsewhere = scratch();
    // What is declared lies in the cluster: whoever works for it needs no folder beforehand.
    rmSync(elsewhere.workspace.path, { recursive: true });
    const stranger = elsewhere.rehearse(...place.flags);
    expect(await stranger.exited).toBe(1);
    expect(stranger.output()).toContain(`The work of Workspace scratch lies in`);
    expect(stranger.output()).toContain(here.repository);
    expect(existsSync(elsewhere.workspace.path)).toBe(true);
    expect(elsewhere.git("status", "--porcelain")).toBe("");
  });

  test("work goes on after the API server was killed and came back", async (context) => {
    const place = await start();
    if (place.restart === undefined) return context.skip("Nobody knows how to restart it: --restart COMMAND");
    const here = scratch({ projects: { one: { description: "[test: slow]" }, two: {} } });
    await moveIn(here, place);
    const operator = here.rehearse();
    await here.phase("one", "Working");
    await place.restart();
    await here.phase("one", "Done");
    await here.phase("two", "Done");
    await operator.end();
  });

  test("an operator that is cut off stops deciding, lets its session go on, and goes on by itself", async () => {
    const place = await start();
    const proxy = await proxyTo(place.cluster);
    const here = scratch({ projects: { one: { description: "[test: held]" } } });
    await moveIn(here, place);
    const operator = here.rehearse("--kubeconfig", place.kubeconfig(here.folder, proxy.url));
    const checkout = await here.until("a command that waits", () => waitingCheckout(here, "agent-1"));
    proxy.cutOff(true);
    await here.until("the Lease to be lost", () =>
      operator.output().includes(`The Lease ${place.namespace}/bosun is lost`),
    );
    // The session was granted its work before: it ends its turns, and nobody reviews them yet.
    letGo(checkout);
    await here.until("the agent's last commit", () => agentHasEnded(here));
    expect(await place.list("projects")).toMatchObject([{ status: { phase: "Working" } }]);

    proxy.cutOff(false);
    await here.until("the Lease again", () => operator.output().includes("is held again"));
    await here.phase("one", "Done");
    await operator.end();
  });

  test("an operator needs each right of its role and no other, whatever people do meanwhile", async () => {
    const place = await start();
    const here = scratch({ projects: { one: {}, wrong: {} }, agents: 2 });
    await moveIn(here, place);
    const proxy = await proxyTo(await place.asOperator(here.folder));
    // As an older server: its lists are read in pages, for which there is a right of its own.
    proxy.play(/sendInitialEvents/, { is: "answer", code: 422 });
    const operator = here.rehearse("--kubeconfig", place.kubeconfig(here.folder, proxy.url));
    await here.phase("one", "Done");
    const { status } = await here.phase("wrong", "Escalated");
    await place.patch("escalations", status?.escalation ?? "", {
      spec: { resolution: { action: "Abandon" } },
    });
    await here.phase("wrong", "Abandoned");
    await place.patch("agentpools", "crew", { spec: { replicas: 1 } }, "scale");
    await here.until("one agent less", async () => (await place.list("agents")).length === 2);
    // As `bosun get KIND NAME` does, through the operator and so with its rights.
    for (const kind of kinds) await here.find(kind, "scratch");
    await place.patch("workspaces", "scratch", { spec: { mode: "Stopped" } });
    await here.until("the stop", async () => (await here.object("Workspace", "scratch")).status?.stop);
    await here.tell("resume");
    // What they owned is the cluster's to collect.
    await place.remove("projects", "one");
    await place.remove("agentpools", "reviewers");
    await here.until("nothing left of them", async () => {
      const reviews = (await place.list("reviews")).filter(({ spec }) => (spec as Named).project === "one");
      const agents = await place.list("agents");
      return reviews.length === 0 && agents.length === 1 && !(await here.find("Project", "one"));
    });
    await operator.end();
    expect(here.read(".bosun/operator.log")).not.toContain("Forbidden");

    const role = parse(readFileSync(path.join(manifests, "rbac/operator.yaml"), "utf8"));
    const used = new Set(proxy.requests.flatMap((request) => rightOf(request) ?? []));
    const granted = rightsOf(role.rules);
    expect([...used].filter((right) => !granted.has(right))).toEqual([]);
    expect([...granted].filter((right) => !used.has(right) && !isRarelyUsed(right))).toEqual([]);
  });
});

/** Moves the workspace into the place's namespace, where the scratch's client then looks. */
function moveIn(here: Scratch, place: Place): Promise<string> {
  return here.tell("import", ...place.flags);
}

/** A proxy before the server of a kubeconfig, which adds its credentials. */
async function proxyTo(choice: ClusterChoice): Promise<FaultProxy> {
  const { access } = await readCluster(choice);
  const proxy = await faultProxy(access);
  onTestFinished(async () => {
    await proxy.close();
    access.close();
  });
  return proxy;
}

interface Named {
  project: string;
}

/** What no run can be made to need: a crash between two writes leaves an Escalation that nobody waits for. */
function isRarelyUsed(right: string): boolean {
  return right === "delete bosun.dev/escalations";
}

/** Whether the session of the one agent at work has come to its end by itself. */
function agentHasEnded({ workspace }: Scratch): boolean {
  const reports = globSync("*/report.json", { cwd: workspace.sessions });
  return reports.some((file) =>
    readFileSync(path.join(workspace.sessions, file), "utf8").includes('"Finished"'),
  );
}
