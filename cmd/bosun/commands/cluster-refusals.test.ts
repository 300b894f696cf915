/** What a person reads when a cluster's server can't serve Bosun. The answers are a real kube-apiserver's. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { runIn, temporaryWorkspace } from "../testing/operator.ts";

/** A server that answers everything so, the kubeconfig for it, and a folder. */
async function answering(listener: RequestListener): Promise<{ folder: string; file: string }> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-refusals-"));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = path.join(folder, "kubeconfig");
  writeFileSync(
    file,
    stringify({
      "current-context": "real",
      clusters: [{ name: "real", cluster: { server: url, "insecure-skip-tls-verify": true } }],
      users: [{ name: "real", user: {} }],
      contexts: [{ name: "real", context: { cluster: "real", user: "real" } }],
    }),
  );
  return { folder, file };
}

test("a server that is too old for the kinds is told apart from one that fails", async () => {
  const message =
    "failed to create typed patch object: .spec.versions[0].selectableFields: field not declared in schema";
  const { folder, file } = await answering((_, response) => {
    response.writeHead(500, { "content-type": "application/json" });
    response.end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code: 500, message }));
  });
  const { exitCode, notes } = await runIn(folder, ["install", "--kubeconfig", file]);
  expect(exitCode).toBe(1);
  expect(notes.join("\n")).toContain("is older than Kubernetes 1.32");
});

test("who imports into a cluster without the kinds is told how to install them, and goes on when they come", async () => {
  const others = { metadata: { name: "theirs", namespace: "default", resourceVersion: "1" } };
  const list = { kind: "WorkspaceList", metadata: { resourceVersion: "1" }, items: [others] };
  const asked = new Set<string>();
  const { folder, file } = await answering(({ url = "" }, response) => {
    // No Status, as for objects that are not there: a page.
    if (!asked.has(url) && !url.includes("/workspaces"))
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("404 page not found\n");
    // An older server: its lists are no streams, and it tells nothing of its kinds.
    else if (url.includes("sendInitialEvents")) response.writeHead(422).end();
    else response.end(JSON.stringify(list));
    asked.add(url);
  });
  execFileSync("git", ["init", "--quiet", folder]);
  mkdirSync(path.join(folder, ".claude-sessions"));
  writeFileSync(
    path.join(folder, ".claude-sessions/workspace.yaml"),
    stringify({
      apiVersion: "bosun.dev/v1alpha1",
      kind: "Workspace",
      metadata: { name: "library" },
      spec: { repository: { targetBranch: "main" }, commands: {} },
    }),
  );
  const { exitCode, notes } = await runIn(folder, ["import", "--kubeconfig", file]);
  expect(notes.join("\n")).toContain("does not know Bosun's kinds. Install them: `bosun install`");
  expect(notes.join("\n")).toContain("has Workspace theirs already");
  expect(exitCode).toBe(1);
});

test("a start with a kubeconfig that is not there leaves nothing behind: an empty folder looked like a workspace", async () => {
  const { folder } = await answering((_, response) => response.end());
  const git = (...args: string[]) => execFileSync("git", ["-C", folder, ...args]);
  git("init", "--quiet");
  git(
    "-c",
    "user.name=P",
    "-c",
    "user.email=p@example.invalid",
    "commit",
    "--quiet",
    "--allow-empty",
    "-m",
    "Begin",
  );
  const { exitCode, notes } = await runIn(folder, ["up", "--rehearse", "--kubeconfig", "mistyped"]);
  expect(exitCode).toBe(1);
  expect(notes.join("\n")).toContain(`${path.join(folder, "mistyped")} can't be used`);
  expect(existsSync(path.join(folder, ".claude-sessions"))).toBe(false);
});

test("who lacks the rights to steer is told by which role they come", async () => {
  const message =
    'agentpools.bosun.dev "execution" is forbidden: User "bosun" cannot get resource "agentpools" in API group "bosun.dev" in the namespace "crew"';
  const folder = temporaryWorkspace();
  writeFileSync(folder.cluster, JSON.stringify({ context: "real", namespace: "crew" }));
  const server = createServer((_, response) => {
    response.writeHead(403, { "content-type": "application/json" });
    response.end(JSON.stringify({ kind: "Status", code: 403, reason: "Forbidden", message }));
  });
  server.listen(folder.socket);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder.repository, { recursive: true });
  });
  const { exitCode, notes } = await runIn(folder.repository, ["scale", "execution", "2"]);
  expect(exitCode).toBe(1);
  expect(notes).toEqual([
    `bosun: ${message}. Commands need the role of who declares and steers: kubectl -n crew create rolebinding bosun-edit --clusterrole=bosun-edit --user=bosun`,
  ]);
});
