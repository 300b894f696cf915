/** `bosun install`: Bosun's kinds and roles into a cluster, and the samples where wanted. Safe to repeat. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import { KINDS } from "../../../pkg/api/generated.ts";
import type { Condition, KubeObject } from "../../../pkg/api/meta.ts";
import { objectPath, type Served } from "../../../pkg/api/paths.ts";
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { Access } from "../../../pkg/cluster/access.ts";
import { type Call, exchange, readJson } from "../../../pkg/cluster/exchange.ts";
import { readCluster } from "../../../pkg/cluster/kubeconfig.ts";
import { packageRoot } from "../../../pkg/system/package-root.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { clusterDeps } from "../cluster-deps.ts";
import type { Context } from "../context.ts";
import { UserError } from "../user-error.ts";

export interface InstallOptions {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
  /** A Workspace, pools, a Budget, Categories and Projects to start from. */
  samples?: boolean;
}

/** What is installed, by kind: where it is served, and whether it lies in a namespace. */
const served: Readonly<Record<string, Served & { namespaced: boolean }>> = {
  CustomResourceDefinition: {
    group: "apiextensions.k8s.io",
    version: "v1",
    plural: "customresourcedefinitions",
    namespaced: false,
  },
  ClusterRole: {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    plural: "clusterroles",
    namespaced: false,
  },
  ...KINDS,
};

/** The first whose kinds may have rules, and fields to select by. */
const oldest = "1.32";

/** How often it is looked whether a new kind is served, and for how long, in milliseconds. */
const lookMs = 200;
const patienceMs = 30_000;

export async function install(context: Context, options: InstallOptions): Promise<void> {
  const chosen = await readCluster({
    ...(options.kubeconfig === undefined ? {} : { file: path.resolve(context.cwd, options.kubeconfig) }),
    ...(options.context === undefined ? {} : { context: options.context }),
  });
  const { access } = chosen;
  const namespace = options.namespace ?? chosen.namespace ?? "default";
  const apply = async (folder: string): Promise<void> => {
    for (const object of objectsIn(path.join(packageRoot(), folder))) {
      const outcome = await applyOne(access, object, namespace);
      context.out(`${object.kind} ${object.metadata.name} ${outcome}`);
    }
  };
  try {
    await apply("crds");
    await untilServed(access);
    await apply("manifests/rbac");
    if (options.samples === true) await apply("manifests/samples");
  } finally {
    access.close();
  }
  context.out("");
  context.out(
    `Installed into context ${chosen.context} (${access.server}). Next, in a repository: bosun import, or kubectl apply a Workspace and bosun up --kubeconfig FILE`,
  );
}

function objectsIn(folder: string): KubeObject[] {
  return readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name) && name !== "kustomization.yaml")
    .sort()
    .flatMap((name) => parseAllDocuments(readFileSync(path.join(folder, name), "utf8")))
    .map((document) => document.toJS() as KubeObject);
}

/** Server-side apply: what others have set beside is kept. */
async function applyOne(access: Access, object: KubeObject, namespace: string): Promise<string> {
  const kind = served[object.kind];
  if (kind === undefined) throw new TypeError(`Nobody installs a ${object.kind}.`);
  const { name } = object.metadata;
  const where = kind.namespaced
    ? objectPath(kind, { namespace, name })
    : `/apis/${kind.group}/${kind.version}/${kind.plural}/${name}`;
  try {
    await ask(access, {
      method: "PATCH",
      path: `${where}?fieldManager=bosun-install&force=true`,
      body: object,
      // JSON is YAML.
      contentType: "application/apply-patch+yaml",
    });
    return "applied";
  } catch (error) {
    const isUnknownKind = error instanceof StatusError && error.code === 404 && object.kind === "ClusterRole";
    if (isUnknownKind) return "skipped: this server has no roles";
    if (error instanceof StatusError && error.message.includes("field not declared in schema"))
      throw new UserError(
        `${access.server} is older than Kubernetes ${oldest}: it does not know all that the kinds of Bosun say (${error.message}).`,
        { cause: error },
      );
    throw error;
  }
}

async function untilServed(access: Access): Promise<void> {
  const names = Object.values(KINDS)
    .filter(({ group }) => group === "bosun.dev")
    .map(({ plural, group }) => `${plural}.${group}`);
  const untilMs = systemClock.elapsed() + patienceMs;
  for (const name of names) {
    while (!(await isEstablished(access, name))) {
      if (systemClock.elapsed() > untilMs)
        throw new UserError(
          `${access.server} does not serve ${name} after ${patienceMs / 1000} s. kubectl describe crd ${name} says why.`,
        );
      await systemClock.sleep(lookMs);
    }
  }
}

async function isEstablished(access: Access, name: string): Promise<boolean> {
  const definition = (await ask(access, {
    method: "GET",
    path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`,
  })) as { status?: { conditions?: Condition[] } };
  return (
    definition.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True") ===
    true
  );
}

async function ask(access: Access, call: Call): Promise<unknown> {
  const deps = clusterDeps(access, { userAgent: "bosun-install" });
  return await readJson(await exchange(deps, call), call, access);
}
