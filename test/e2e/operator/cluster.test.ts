/** Cluster mode with processes: the cluster is an API server of its own, reached over HTTPS by its kubeconfig. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse, stringify } from "yaml";
import { readCluster } from "../../../pkg/cluster/kubeconfig.ts";
import { apiServer, type Killable } from "../../soak/servers.ts";
import { connect, readKubeconfig } from "../../support/api.ts";
import { faultProxy } from "../../support/fault-proxy.ts";
import { rightOf, rightsOf } from "../../support/rights.ts";
import { type Scratch, scratch } from "./scratch.ts";

const crds = path.resolve(import.meta.dirname, "../../../crds");

async function cluster(): Promise<Killable> {
  const server = await apiServer(crds);
  onTestFinished(() => server.close());
  return server;
}

/** Moves the workspace into the cluster's namespace `default`, where the scratch's client looks. */
function moveIn(here: Scratch, server: Killable): Promise<string> {
  return here.tell("import", "--kubeconfig", server.kubeconfig, "--namespace", "default");
}

async function projects({ kubeconfig }: Killable): Promise<Record<string, unknown>[]> {
  // A connection of its own: one that lay idle for seconds may just be closed by the server.
  const api = connect(readKubeconfig(kubeconfig));
  try {
    const answer = await api.send("GET", "/apis/bosun.dev/v1alpha1/namespaces/default/projects");
    return JSON.parse(answer.text).items;
  } finally {
    api.close();
  }
}

test("a workspace goes into a cluster and back with its status, and work goes on in both", async () => {
  const server = await cluster();
  const here = scratch({ projects: { one: {} } });
  const first = here.rehearse();
  const before = await here.phase("one", "Done");
  await first.end();

  expect(await moveIn(here, server)).toContain("Copied Project one");
  expect(await projects(server)).toMatchObject([
    { metadata: { name: "one" }, status: { phase: "Done", number: before.status?.number } },
  ]);
  const second = here.rehearse();
  await second.ready();
  await here.client.create("Project", {
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Project",
    metadata: { name: "two" },
    spec: { title: "Write two", acceptanceCriteria: [{ id: "AC-1", text: "There is a note on two." }] },
  } as never);
  const two = await here.phase("two", "Done");
  expect(two.status?.number).toBe((before.status?.number ?? 0) + 1);
  expect(await projects(server)).toMatchObject([
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
  const server = await cluster();
  const here = scratch({ projects: { one: { description: "[test: slow]" } } });
  await moveIn(here, server);
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
  const server = await cluster();
  const here = scratch({ projects: { one: {} } });
  await moveIn(here, server);
  const elsewhere = scratch();
  const stranger = elsewhere.rehearse("--kubeconfig", server.kubeconfig, "--namespace", "default");
  expect(await stranger.exited).toBe(1);
  expect(stranger.output()).toContain(`The work of Workspace scratch lies in`);
  expect(stranger.output()).toContain(here.repository);
});

test("work goes on after the API server was killed and came back", async () => {
  const server = await cluster();
  const here = scratch({ projects: { one: { description: "[test: slow]" }, two: {} } });
  await moveIn(here, server);
  const operator = here.rehearse();
  await here.phase("one", "Working");
  await server.kill();
  await here.phase("one", "Done");
  await here.phase("two", "Done");
  await operator.end();
});

test("an operator that is cut off stops deciding, lets its session go on, and goes on by itself", async () => {
  const server = await cluster();
  const { access } = await readCluster({ file: server.kubeconfig });
  const proxy = await faultProxy(access);
  onTestFinished(() => proxy.close());
  const here = scratch({ projects: { one: { description: "[test: slow]" } } });
  await moveIn(here, server);
  const operator = here.rehearse("--kubeconfig", proxied(here, proxy.url), "--namespace", "default");
  await here.phase("one", "Working");
  proxy.cutOff(true);
  await here.until("the Lease to be lost", () =>
    operator.output().includes("The Lease default/bosun is lost"),
  );
  // The session was granted its work before: it ends its turns, and nobody reviews them yet.
  await here.until("the agent's last commit", () => agentHasEnded(here));
  expect(await projects(server)).toMatchObject([{ status: { phase: "Working" } }]);

  proxy.cutOff(false);
  await here.until("the Lease again", () => operator.output().includes("is held again"));
  await here.phase("one", "Done");
  await operator.end();
});

/** Whether the session of the one agent at work has come to its end by itself. */
function agentHasEnded({ workspace }: Scratch): boolean {
  const reports = globSync("*/report.json", { cwd: workspace.sessions });
  return reports.some((file) =>
    readFileSync(path.join(workspace.sessions, file), "utf8").includes('"Finished"'),
  );
}

test("an operator asks for nothing that its role does not allow", async () => {
  const server = await cluster();
  const { access } = await readCluster({ file: server.kubeconfig });
  const proxy = await faultProxy(access);
  onTestFinished(() => proxy.close());
  const here = scratch({ projects: { one: {} } });
  await moveIn(here, server);
  const operator = here.rehearse("--kubeconfig", proxied(here, proxy.url), "--namespace", "default");
  await operator.ready();
  await here.phase("one", "Done");
  await operator.end();

  const role = parse(readFileSync(path.join(crds, "../manifests/rbac/operator.yaml"), "utf8"));
  const used = new Set(proxy.requests.flatMap((request) => rightOf(request) ?? []));
  expect([...used].filter((right) => !rightsOf(role.rules).has(right))).toEqual([]);
  expect(used).toContain("update bosun.dev/projects/status");
});

/** A kubeconfig for the proxy, which adds the credentials by itself. */
function proxied(here: Scratch, url: string): string {
  const file = path.join(here.folder, "proxied");
  writeFileSync(
    file,
    stringify({
      "current-context": "proxied",
      clusters: [{ name: "proxied", cluster: { server: url, "insecure-skip-tls-verify": true } }],
      users: [{ name: "nobody", user: {} }],
      contexts: [{ name: "proxied", context: { cluster: "proxied", user: "nobody" } }],
    }),
  );
  return file;
}
