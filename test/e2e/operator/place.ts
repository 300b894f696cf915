/** A namespace for one test, on an API server of ours or on a real cluster, and what people do there. */
import { execSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { stringify } from "yaml";
import { KINDS } from "../../../pkg/api/generated.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { type ClusterChoice, readCluster } from "../../../pkg/cluster/kubeconfig.ts";
import type { Api } from "../../support/api.ts";
import { apiOf, type RealCluster } from "../../support/real-cluster.ts";
import { apiServer } from "../../support/servers.ts";

export interface Place {
  readonly namespace: string;
  /** The server's own kubeconfig and the namespace, as `bosun` takes them. */
  readonly flags: readonly string[];
  readonly cluster: ClusterChoice;
  readonly api: Api;
  /** Ends the API server and starts it again; undefined where nobody knows how. */
  readonly restart: (() => Promise<void>) | undefined;
  /** A kubeconfig for the server at that address, without credentials, in `folder`. */
  kubeconfig(folder: string, server: string): string;
  /** A kubeconfig in `folder` for who has the operator's role in the namespace and nothing else; ours knows no roles. */
  asOperator(folder: string): Promise<ClusterChoice>;
  /** Objects of Bosun's, by their plural. */
  list(plural: string): Promise<KubeObject[]>;
  patch(plural: string, name: string, patch: object, subresource?: string): Promise<void>;
  remove(plural: string, name: string): Promise<void>;
}

const crds = path.resolve(import.meta.dirname, "../../../crds");
const own = Object.values(KINDS).filter(({ group }) => group === "bosun.dev");

/** `bosun apiserver`, which ends with the test. */
export async function placeOnOurs(): Promise<Place> {
  const server = await apiServer(crds);
  onTestFinished(() => server.close());
  return { ...(await placeAt({ file: server.kubeconfig })), restart: () => server.kill() };
}

/** A cluster that has Bosun's kinds; what the test leaves there is removed. */
export async function placeIn({ file, context, restart }: RealCluster): Promise<Place> {
  const place = await placeAt({ file, ...(context === undefined ? {} : { context }) });
  onTestFinished(async () => {
    await empty(place);
    await place.api.send("DELETE", `/api/v1/namespaces/${place.namespace}`);
    place.api.close();
  });
  return {
    ...place,
    restart: restart === undefined ? undefined : () => restartBy(restart, place.api),
    asOperator: (folder) => bindOperator(place, folder),
  };
}

async function placeAt(cluster: { file: string; context?: string }): Promise<Place> {
  const namespace = `bosun-test-${randomBytes(3).toString("hex")}`;
  const api = await apiOf(cluster);
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  await expectOk(api.send("POST", "/api/v1/namespaces", body));
  const at = (plural: string, name = "", subresource = ""): string =>
    ["/apis/bosun.dev/v1alpha1/namespaces", namespace, plural, name, subresource].filter(Boolean).join("/");
  const context = cluster.context === undefined ? [] : ["--context", cluster.context];
  return {
    namespace,
    flags: ["--kubeconfig", cluster.file, ...context, "--namespace", namespace],
    cluster,
    api,
    restart: undefined,
    kubeconfig: (folder, server) => writeKubeconfig(folder, { server, user: {}, namespace }),
    asOperator: async () => cluster,
    list: async (plural) => JSON.parse(await expectOk(api.send("GET", at(plural)))).items,
    async patch(plural, name, patch, subresource) {
      const type = "application/merge-patch+json";
      await expectOk(api.send("PATCH", at(plural, name, subresource), patch, type));
    },
    async remove(plural, name) {
      await expectOk(api.send("DELETE", at(plural, name)));
    },
  };
}

/** A service account with the role that `bosun install` made, bound in the namespace as manifests/rbac says. */
async function bindOperator({ namespace, api, cluster }: Place, folder: string): Promise<ClusterChoice> {
  const core = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const name = "operator";
  await expectOk(api.send("POST", core, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } }));
  await expectOk(
    api.send("POST", `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "bosun-operator" },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    }),
  );
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const { status } = JSON.parse(await expectOk(api.send("POST", `${core}/${name}/token`, request)));
  const { access } = await readCluster(cluster);
  access.close();
  return {
    file: writeKubeconfig(folder, { server: access.server, user: { token: status.token }, namespace }),
  };
}

function writeKubeconfig(
  folder: string,
  { server, user, namespace }: { server: string; user: object; namespace: string },
): string {
  const file = path.join(folder, `kubeconfig-${randomBytes(3).toString("hex")}`);
  const cluster = { server, "insecure-skip-tls-verify": true };
  writeFileSync(
    file,
    stringify({
      "current-context": "test",
      clusters: [{ name: "test", cluster }],
      users: [{ name: "test", user }],
      contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace } }],
    }),
  );
  return file;
}

/** Finalizers would keep objects, and the namespace with them, once no operator is left to take them off. */
async function empty(place: Place): Promise<void> {
  for (const { plural } of own)
    for (const { metadata } of await place.list(plural)) {
      if (metadata.finalizers !== undefined)
        await place.patch(plural, metadata.name, { metadata: { finalizers: null } }).catch(() => {
          // Gone meanwhile.
        });
      await place.remove(plural, metadata.name).catch(() => {
        // Gone meanwhile.
      });
    }
}

async function restartBy(command: string, api: Api): Promise<void> {
  execSync(command, { stdio: "ignore" });
  while ((await api.send("GET", "/readyz").catch(() => undefined))?.status !== 200) await sleep(100);
}

async function expectOk(sent: Promise<{ status: number; text: string }>): Promise<string> {
  const { status, text } = await sent;
  if (status >= 300) throw new Error(`The server answered ${status}: ${text.slice(0, 300)}`);
  return text;
}
