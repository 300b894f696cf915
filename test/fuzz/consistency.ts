/** Whether what a server holds is whole: it reads the same in every way, validates, and survives restarts. */
import { isDeepStrictEqual } from "node:util";
import type { FuzzRequest } from "./request.ts";
import type { Answer, Sender } from "./sender.ts";

export interface State {
  /** Every object by the path that it is read at. */
  objects: ReadonlyMap<string, KubeObject>;
  /** What didn't read or didn't read the same, each as a sentence. */
  problems: readonly string[];
}

interface KubeObject {
  metadata: {
    name: string;
    namespace?: string;
    resourceVersion: string;
    deletionTimestamp?: string;
    finalizers?: string[];
  };
}

interface Collection {
  /** `/apis/GROUP/VERSION` */
  at: string;
  resource: string;
  namespaced: boolean;
  verbs: readonly string[];
}

/** Reads every object of every kind that is served, by list and by name. */
export async function readState(sender: Sender): Promise<State> {
  const problems: string[] = [];
  const objects = new Map<string, KubeObject>();
  for (const collection of await collections(sender)) {
    if (!collection.verbs.includes("list")) continue;
    const at = `${collection.at}/${collection.resource}`;
    const list = await read(sender, at);
    if (list === undefined) {
      problems.push(`${at} can't be listed.`);
      continue;
    }
    for (const { kind: _k, apiVersion: _v, ...item } of (list as { items: Record<string, unknown>[] })
      .items) {
      const object = item as unknown as KubeObject;
      const path = pathOf(collection, object);
      objects.set(path, object);
      const single = await read(sender, path);
      const { kind: _kind, apiVersion: _version, ...alone } = (single ?? {}) as Record<string, unknown>;
      if (!isDeepStrictEqual(alone, item)) problems.push(`${path} is another by name than in its list.`);
    }
  }
  return { objects, problems };
}

/** Where `before` and `after` differ, each as one line. What was being deleted may be gone. */
export function compareStates(before: State, after: State): string[] {
  const paths = new Set([...before.objects.keys(), ...after.objects.keys()]);
  return [...paths]
    .filter((path) => before.objects.get(path)?.metadata.deletionTimestamp === undefined)
    .filter((path) => !isDeepStrictEqual(before.objects.get(path), after.objects.get(path)))
    .map(
      (path) =>
        `${path}: ${JSON.stringify(before.objects.get(path) ?? null)} became ${JSON.stringify(after.objects.get(path) ?? null)}`,
    );
}

/** Objects that the server itself would not take back as they are, each with its answer. */
export async function unwritable(sender: Sender, state: State): Promise<[path: string, why: string][]> {
  const found: [string, string][] = [];
  for (const path of state.objects.keys()) {
    const object = await read(sender, path);
    if (object === undefined || (object as unknown as KubeObject).metadata.deletionTimestamp !== undefined)
      continue;
    const outcome = await sender.send(
      request("PUT", path, { query: [["dryRun", "All"]], body: Buffer.from(JSON.stringify(object)) }),
    );
    const status = outcome.is === "answered" ? outcome.answer.status : 0;
    if (status !== 200 && status !== 405)
      found.push([
        path,
        `Written back as it is: ${outcome.is === "answered" ? outcome.answer.text : outcome.is}`,
      ]);
  }
  return found;
}

/** Removes what requests made, finalizers and all, so that lists stay as long as they are in life. */
export async function tidyUp(sender: Sender): Promise<void> {
  for (const collection of await collections(sender)) {
    if (!collection.verbs.includes("deletecollection") || collection.resource === "namespaces") continue;
    const keeps = collection.resource === "customresourcedefinitions";
    const list = await read(sender, `${collection.at}/${collection.resource}`);
    for (const item of (list as { items?: KubeObject[] } | undefined)?.items ?? []) {
      const path = pathOf(collection, item);
      if (keeps && !path.includes("fuzz.")) continue;
      if (item.metadata.finalizers !== undefined)
        await sender.send(
          request("PATCH", path, {
            headers: { "content-type": "application/merge-patch+json" },
            body: Buffer.from('{"metadata":{"finalizers":null}}'),
          }),
        );
      await sender.send(request("DELETE", path, {}));
    }
  }
}

async function collections(sender: Sender): Promise<Collection[]> {
  const groups = (await read(sender, "/apis")) as
    | { groups?: { versions: { groupVersion: string }[] }[] }
    | undefined;
  const versions = (groups?.groups ?? []).flatMap((group) =>
    group.versions.map(({ groupVersion }) => `/apis/${groupVersion}`),
  );
  const found: Collection[] = [];
  for (const at of ["/api/v1", ...versions]) {
    const list = (await read(sender, at)) as
      | { resources?: { name: string; namespaced: boolean; verbs: string[] }[] }
      | undefined;
    for (const { name, namespaced, verbs } of list?.resources ?? [])
      if (!name.includes("/")) found.push({ at, resource: name, namespaced, verbs });
  }
  return found;
}

function pathOf({ at, resource, namespaced }: Collection, { metadata }: KubeObject): string {
  const name = encodeURIComponent(metadata.name);
  return namespaced
    ? `${at}/namespaces/${metadata.namespace}/${resource}/${name}`
    : `${at}/${resource}/${name}`;
}

/** The JSON at `path`; undefined for anything but a 200. */
async function read(sender: Sender, path: string): Promise<Record<string, unknown> | undefined> {
  const outcome = await sender.send(request("GET", path, {}));
  if (outcome.is !== "answered" || outcome.answer.status !== 200) return undefined;
  return jsonOf(outcome.answer);
}

function jsonOf({ text }: Answer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Reported as unreadable by whoever asked.
    return undefined;
  }
}

function request(method: string, path: string, more: Partial<FuzzRequest>): FuzzRequest {
  const headers = { accept: "application/json", "content-type": "application/json", ...more.headers };
  return { method, path, query: more.query ?? [], headers, body: more.body };
}
