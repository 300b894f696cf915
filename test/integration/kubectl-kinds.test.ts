/** What kubectl does with Kubernetes' own kinds and with kinds that come and go: the oldest and the newest that is there. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { admin } from "../../pkg/apiserver/auth/user.ts";
import { createApi } from "../../pkg/apiserver/server.ts";
import { openTestRegistry } from "../../pkg/registry/testing/registry.ts";
import { systemClock } from "../../pkg/system/system.ts";
import { findKubectls, minorOf } from "../kubectl/find.ts";

// Before 1.28 `auth whoami` asks for a version of its review that was given up.
const usable = findKubectls().filter((kubectl) => minorOf(kubectl) >= 28);
const kubectls = usable.filter((_, i) => i === 0 || i === usable.length - 1);

const boats = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.port.example}
spec:
  group: port.example
  scope: Namespaced
  names: {plural: boats, kind: Boat}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {oars: {type: integer}}}}}
`;

test.runIf(kubectls.length === 0)("no kubectl is there to test with", ({ skip }) => skip());

describe.each(kubectls)("kubectl $release", ({ path: program }) => {
  let folder: string;
  let server: Server;
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "bosun-kinds-"));
    const { registry } = await openTestRegistry({ defer: setImmediate, clock: systemClock });
    server = createServer(createApi({ registry }).listener(() => admin));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    rmSync(folder, { recursive: true, force: true });
  });

  /** What it prints, and says when it fails. */
  function kubectl(...args: string[]): Promise<string> {
    const { port } = server.address() as AddressInfo;
    const all = ["--server", `http://127.0.0.1:${port}`, "--cache-dir", path.join(folder, "cache"), ...args];
    return new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: "/dev/null", KUBE_EDITOR: "sed -i s/tier:.*/tier:\\ two/" };
      execFile(program, all, { env }, (_error, out, complaint) => resolve(`${out}${complaint}`.trim()));
    });
  }

  function file(name: string, text: string): string {
    const at = path.join(folder, name);
    writeFileSync(at, text);
    return at;
  }

  test("makes, changes and deletes a namespace, whatever it sends", async () => {
    const declared = (tier: string) =>
      file(
        "ns.yaml",
        `apiVersion: v1
kind: Namespace
metadata: {name: team, labels: {tier: ${tier}}}
`,
      );
    expect(await kubectl("create", "namespace", "other")).toBe("namespace/other created");
    expect(await kubectl("apply", "-f", declared("zero"))).toBe("namespace/team created");
    expect(await kubectl("apply", "-f", declared("one"))).toBe("namespace/team configured");
    expect(await kubectl("apply", "-f", declared("one"))).toBe("namespace/team unchanged");
    expect(await kubectl("patch", "namespace", "team", "-p", '{"metadata":{"labels":{"tier":"x"}}}')).toBe(
      "namespace/team patched",
    );
    expect(await kubectl("edit", "namespace", "team")).toBe("namespace/team edited");
    expect(await kubectl("get", "namespace", "team", "-o", "jsonpath={.metadata.labels.tier}")).toBe("two");
    expect(await kubectl("delete", "namespace", "team", "other")).toBe(
      'namespace "team" deleted\nnamespace "other" deleted',
    );
    expect(await kubectl("get", "namespaces", "-o", "name")).toBe(
      ["default", "kube-node-lease", "kube-public", "kube-system"]
        .map((name) => `namespace/${name}`)
        .join("\n"),
    );
  });

  test("asks who it is and what it may do", async () => {
    expect(await kubectl("auth", "can-i", "create", "widgets")).toBe("yes");
    expect(await kubectl("auth", "can-i", "--list")).toContain("*.*");
    expect(await kubectl("auth", "whoami")).toContain("bosun:admin");
  });

  test("defines a kind, uses it and undefines it", async () => {
    expect(await kubectl("apply", "-f", file("crd.yaml", boats))).toContain("boats.port.example created");
    expect(await kubectl("wait", "--for=condition=Established", "crd/boats.port.example")).toContain(
      "condition met",
    );
    const boat = "apiVersion: port.example/v1\nkind: Boat\nmetadata: {name: b}\nspec: {oars: 2}\n";
    expect(await kubectl("apply", "-f", file("boat.yaml", boat))).toBe("boat.port.example/b created");
    expect(await kubectl("explain", "boat.spec.oars")).toContain("<integer>");
    expect(await kubectl("delete", "crd", "boats.port.example")).toContain("deleted");
    expect(await kubectl("get", "crd", "boats.port.example")).toContain("NotFound");
  });
});
