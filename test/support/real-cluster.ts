/** The real cluster that tests of cluster mode also run on, where one is named: `npm run test:cluster` does. */
import type { ClusterChoice } from "../../pkg/cluster/kubeconfig.ts";
import { readCluster } from "../../pkg/cluster/kubeconfig.ts";
import { type Api, connectTo } from "./api.ts";

export interface RealCluster extends ClusterChoice {
  /** Absolute. */
  readonly file: string;
  /** A command line that restarts its API server; undefined: nobody knows how. */
  readonly restart: string | undefined;
}

const { BOSUN_TEST_KUBECONFIG: file, BOSUN_TEST_CONTEXT: context, BOSUN_TEST_RESTART: restart } = process.env;

/** Undefined where none is named: tests that need it then say that they were skipped. */
export const realCluster: RealCluster | undefined =
  file === undefined ? undefined : { file, restart, ...(context === undefined ? {} : { context }) };

/** The name of a test that stands for those that were skipped. */
export const withoutCluster = "SKIPPED for want of a real cluster: npm run test:cluster -- --kubeconfig FILE";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** How long a new kind may take to be served, in milliseconds, and how often it is looked. */
const patienceMs = 30_000;
const lookMs = 50;

/** @throws any error of `readCluster` */
export async function apiOf(cluster: ClusterChoice): Promise<Api> {
  return connectTo((await readCluster(cluster)).access);
}

/** Makes `crd` known and waits until its kind is served; one that is there already is left as it is. */
export async function serve(api: Api, crd: unknown): Promise<void> {
  const { spec } = crd as {
    spec: { group: string; names: { plural: string }; versions: { name: string }[] };
  };
  const created = await api.send("POST", definitions, crd);
  if (created.status >= 300 && created.status !== 409)
    throw new Error(`The definition was refused: ${created.text}`);
  const list = `/apis/${spec.group}/${spec.versions[0]?.name}/${spec.names.plural}?limit=1`;
  const endMs = performance.now() + patienceMs;
  while ((await api.send("GET", list)).status !== 200) {
    if (performance.now() > endMs)
      throw new Error(`${spec.names.plural}.${spec.group} is not served after ${patienceMs / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Makes `crd` unknown again, and removes all objects of its kind. */
export async function withdraw(api: Api, crd: unknown): Promise<void> {
  const { name } = (crd as { metadata: { name: string } }).metadata;
  await api.send("DELETE", `${definitions}/${name}`);
}
