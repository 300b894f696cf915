/** Objects of a workspace from one API to another, with status: what `bosun import` and `bosun export` do. */
import type { Kinds, Project } from "../../../pkg/api/generated.ts";
import type { KubeObject, ObjectMeta } from "../../../pkg/api/meta.ts";
import type { Client, Kind } from "../../../pkg/runtime/client.ts";
import type { Reader } from "../operator-client/socket-client.ts";

/** Owners before what they own. Events are not moved: they tell of the API that they happened at. */
const kindsInOrder: readonly Kind[] = [
  "Workspace",
  "Budget",
  "AgentPool",
  "Category",
  "Project",
  "Agent",
  "Review",
  "Escalation",
];

/** Annotations that speak of the API an object lies in. */
const ofOneApi = /^(bosun\.dev\/(home|file)|kubectl\.kubernetes\.io\/)/;

export interface Copied {
  kind: Kind;
  name: string;
}

/**
 * Makes the objects of `to` what those of `from` are, and tells of each. It may be broken off and begun again. Uids are
 * the new API's own: where an object names one of another, it names the new one. Projects keep their order among
 * themselves, and come before those that are declared later.
 *
 * @throws StatusError of `to`, in words that name the object
 */
export async function copyObjects(
  from: Reader,
  to: Client & { readonly namespace: string },
  { tell, annotations = {} }: CopyOptions,
): Promise<void> {
  const uids = new Map<string, string>();
  for (const kind of kindsInOrder) {
    const { items } = await from.list(kind, { namespace: from.namespace });
    const objects = (items as readonly KubeObject[]).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
    const ordered = kind === "Project" ? inOrder(objects as readonly Project[]) : objects;
    await removeOthers(kind, ordered, to);
    for (const [index, object] of ordered.entries()) {
      const made = await copyOne(kind, object, {
        to,
        uids,
        rank: index + 1,
        annotations: kind === "Workspace" ? annotations : {},
      });
      if (object.metadata.uid !== undefined && made.metadata.uid !== undefined)
        uids.set(object.metadata.uid, made.metadata.uid);
      tell({ kind, name: object.metadata.name });
    }
  }
}

/** What `from` does not have is gone there. */
async function removeOthers(
  kind: Kind,
  objects: readonly KubeObject[],
  to: Client & { readonly namespace: string },
): Promise<void> {
  const names = new Set(objects.map(({ metadata }) => metadata.name));
  const { items } = await to.list(kind, { namespace: to.namespace });
  for (const { metadata } of items as readonly KubeObject[]) {
    if (names.has(metadata.name)) continue;
    const key = { namespace: to.namespace, name: metadata.name };
    if (metadata.finalizers !== undefined) await to.patch(kind, key, { metadata: { finalizers: null } });
    await to.delete(kind, key);
  }
}

export interface CopyOptions {
  /** Told of each object that is there now. */
  tell(copied: Copied): void;
  /** That the Workspace is given beside its own. */
  annotations?: Readonly<Record<string, string>>;
}

interface Target {
  to: Client & { readonly namespace: string };
  /** New uids by old ones. */
  uids: ReadonlyMap<string, string>;
  /** The object's place among its kind, from 1. */
  rank: number;
  annotations: Readonly<Record<string, string>>;
}

async function copyOne(
  kind: Kind,
  object: KubeObject,
  { to, uids, rank, annotations }: Target,
): Promise<KubeObject> {
  const key = { namespace: to.namespace, name: object.metadata.name };
  const renamed = renameUids(object, uids) as KubeObject;
  const wanted = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...keptMetadata(renamed.metadata, annotations), namespace: to.namespace },
    spec: renamed.spec,
  };
  const found = (await to.get(kind, key)) as KubeObject | undefined;
  const made: KubeObject =
    found === undefined
      ? await to.create(kind, wanted as never)
      : await to.update(kind, {
          ...found,
          ...wanted,
          metadata: { ...found.metadata, ...wanted.metadata },
        } as never);
  const { status } = renamed;
  if (status === undefined) return made;
  return await to.updateStatus(kind, {
    ...made,
    status: movedStatus(status as Status, { before: object.metadata, after: made.metadata, rank }),
  } as Kinds[typeof kind]);
}

function keptMetadata(
  { name, labels, annotations, finalizers, ownerReferences }: ObjectMeta,
  more: Readonly<Record<string, string>>,
): Partial<ObjectMeta> {
  const own = Object.entries(annotations ?? {}).filter(([word]) => !ofOneApi.test(word));
  const kept = [...own, ...Object.entries(more)];
  return {
    name,
    ...(labels === undefined ? {} : { labels }),
    ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
  };
}

interface Status {
  observedGeneration?: number;
  conditions?: readonly { observedGeneration?: number }[];
  creationRevision?: string;
}

interface Moved {
  before: ObjectMeta;
  after: ObjectMeta;
  rank: number;
}

/** Generations are counted anew, and revisions of the old API mean nothing to the new one. */
function movedStatus(status: Status, { before, after, rank }: Moved): Status {
  const generation = <T extends { observedGeneration?: number }>(value: T): T => {
    if (value.observedGeneration === undefined) return value;
    const isCurrent = value.observedGeneration === before.generation;
    return { ...value, observedGeneration: isCurrent ? (after.generation ?? 0) : 0 };
  };
  return {
    ...generation(status),
    ...(status.conditions === undefined ? {} : { conditions: status.conditions.map(generation) }),
    ...(status.creationRevision === undefined ? {} : { creationRevision: String(rank) }),
  };
}

/** As they were declared: by the revision at which, where that is known. */
function inOrder(projects: readonly Project[]): Project[] {
  const revision = ({ metadata, status }: Project): bigint =>
    BigInt(status?.creationRevision ?? metadata.resourceVersion ?? "0");
  return projects.toSorted((a, b) => (revision(a) < revision(b) ? -1 : revision(a) > revision(b) ? 1 : 0));
}

function renameUids(value: unknown, uids: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return uids.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => renameUids(item, uids));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, renameUids(item, uids)]));
}
