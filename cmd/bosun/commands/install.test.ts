import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { runIn } from "../testing/operator.ts";

test("a server that is too old for the kinds is told apart from one that fails", async () => {
  // In the words of a kube-apiserver 1.20.
  const message =
    "failed to create typed patch object: .spec.versions[0].selectableFields: field not declared in schema";
  const server = createServer((_, response) => {
    response.writeHead(500, { "content-type": "application/json" });
    response.end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code: 500, message }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-install-"));
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
      "current-context": "old",
      clusters: [{ name: "old", cluster: { server: url, "insecure-skip-tls-verify": true } }],
      users: [{ name: "old", user: {} }],
      contexts: [{ name: "old", context: { cluster: "old", user: "old" } }],
    }),
  );
  const { exitCode, notes } = await runIn(folder, ["install", "--kubeconfig", file]);
  expect(exitCode).toBe(1);
  expect(notes.join("\n")).toContain("is older than Kubernetes 1.32");
});
