import type { KubeObject, ObjectKey, OwnerReference } from "../api/meta.ts";
import { sameJson } from "../api/same-json.ts";
import { isNotFound, StatusError } from "../api/status-error.ts";
import { type Clock, type Ids, type Random, timestamp } from "../runtime/clock.ts";
import type { Admission, Edit, ResourceInfo, TransactResult } from "../storage/admission.ts";
import type { Change, FileText, RecentChange, Storage, StoredState } from "../storage/storage.ts";
import { apply, applyScale } from "./admission/apply.ts";
import type { Context, FieldValidation } from "./admission/context.ts";
import { create } from "./admission/create.ts";
import { assemble, decode, withoutStatus } from "./admission/decode.ts";
import { type DeleteOptions, type Deletion, remove } from "./admission/delete.ts";
import { defaultNamespace, ownNamespaces } from "./admission/namespace.ts";
import { type Patch, patch } from "./admission/patch.ts";
import { patchScale, scaleOf, updateScale } from "./admission/scale.ts";
import { type Put, update } from "./admission/update.ts";
import { definitionResource } from "./builtin/definition.ts";
import { namespaceResource } from "./builtin/namespace.ts";
import { builtinResources } from "./builtin-resources.ts";
import { Catalog } from "./catalog.ts";
import { brought } from "./definitions/custom-resources.ts";
import type { CustomResourceDefinition } from "./definitions/definition.ts";
import { established, type GivenDefinition, givenDefinition } from "./definitions/given-definition.ts";
import { DefinitionKeeper } from "./definitions/keeper.ts";
import { DurableState } from "./durable-state.ts";
import { foreignOwnerEvent } from "./foreign-owner-event.ts";
import { GarbageCollector } from "./garbage-collector.ts";
import type { Watch } from "./history.ts";
import { deepFreeze } from "./json.ts";
import { type ListOptions, list, type ObjectList, type Selection, selectorOf } from "./list.ts";
import { NamespaceEmptier } from "./namespace-emptier.ts";
import { apiVersionOf, hasSubresource, type Resource, resourceId, type Subresource } from "./resource.ts";
import { apiServerManager, controllersManager } from "./server-managers.ts";
import { type StagedChange, type Staging, withRevision } from "./staging.ts";
import { badRequest, notFound } from "./status-errors.ts";

export interface RegistryOptions {
  readonly storage: Storage;
  /** CustomResourceDefinitions, parsed from YAML. */
  readonly crds: readonly unknown[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  /** Runs `turn` in a later turn of the event loop: `setImmediate`, or a task of a simulator. */
  readonly defer: (turn: () => void) => void;
  /**
   * Whether objects are deleted with their owner, and with their namespace; default true. A kube-apiserver leaves both
   * to another program.
   */
  readonly collectGarbage?: boolean;
  /** The most changes kept for watches and old revisions, for each resource; default 16384. */
  readonly historyLimit?: number;
  /** Told once when the storage failed: nothing more is accepted and the process has to end. */
  readonly onFatal?: (error: Error) => void;
}

export interface WatchFrom extends Selection {
  /** Events after this revision. */
  readonly resourceVersion: string;
  readonly signal?: AbortSignal | undefined;
}

export interface WriteOptions {
  readonly subresource?: Subresource | undefined;
  /** The writer's name in managedFields, at most 128 printable characters; `unknown` without. */
  readonly fieldManager?: string | undefined;
  /** Of an apply: take over fields that others own and it changes. */
  readonly force?: boolean | undefined;
  /** Admit, answer, and write nothing. */
  readonly dryRun?: boolean | undefined;
  /** What happens with fields that are unknown or given twice; default Ignore. */
  readonly fieldValidation?: FieldValidation | undefined;
  /** What strict decoding has against the body as text. */
  readonly strictErrors?: readonly string[] | undefined;
  /** The body as it came, where there was one. */
  readonly bodyText?: string | undefined;
  /** Paths of whole numbers that the body has as floats. */
  readonly wholeFloats?: ReadonlySet<string> | undefined;
  /** Told what a client is to be warned of. */
  readonly warn?: ((text: string) => void) | undefined;
}

/** Owner, in managedFields, of what people's files say. */
const filesManager = "bosun-files";

/**
 * What an API server does beneath HTTP, for the kinds that CRDs define and a few of Kubernetes' own.
 *
 * A write is admitted at once against the newest state, pending writes included. It is answered after the storage has
 * synced it, and watchers hear of it in a later turn; reads show synced state alone. Objects are deep-frozen and
 * shared between store, lists and watches. Every failure is a StatusError as kube-apiserver words it.
 */
export class Registry implements Admission {
  readonly #options: RegistryOptions;
  readonly #catalog = new Catalog(builtinResources);
  readonly #state: DurableState;
  readonly #keeper: DefinitionKeeper;
  readonly #collector: GarbageCollector | undefined;
  readonly #emptier: NamespaceEmptier | undefined;

  /** Names of the definitions that the server was started with. */
  readonly #given: ReadonlySet<string>;

  private constructor(options: RegistryOptions, given: ReadonlySet<string>, stored: StoredState) {
    this.#options = options;
    this.#given = given;
    this.#keeper = new DefinitionKeeper(this, options.clock, options.defer);
    if (options.collectGarbage !== false) {
      this.#collector = new GarbageCollector(this, {
        defer: options.defer,
        onForeignOwner: (dependent, owner) => this.#warnOfForeignOwner(dependent, owner),
      });
      this.#emptier = new NamespaceEmptier(this, options.clock, options.defer);
    }
    this.#state = new DurableState({
      storage: options.storage,
      revision: stored.revision,
      historyLimit: options.historyLimit ?? 16_384,
      elapsed: () => options.clock.elapsed(),
      defer: options.defer,
      onAdmitted: (changes) => this.#follow(changes),
      onSynced: (changes) => this.#observe(changes),
      onFatal: options.onFatal ?? (() => {}),
    });
  }

  /** Opens the storage and serves what is in it. Throws Error naming a CRD that cannot be served. */
  static async open(options: RegistryOptions): Promise<Registry> {
    const given = options.crds.map(givenDefinition);
    const names = new Set(given.map(({ name }) => name));
    const twice = given.find(({ name }, i) => given.findIndex((other) => other.name === name) < i)?.spec;
    if (twice !== undefined) {
      const id = resourceId(twice.group, twice.names.plural);
      throw new Error(`Two definitions name the resource ${id}.`);
    }
    const stored = await options.storage.open();
    const registry = new Registry(options, names, stored);
    registry.#state.history.restore((stored.recent ?? []).map(restored));
    const isOfDefinitions = (change: Change): boolean => change.resource === definitionResource.id;
    registry.#load(stored.objects.filter(isOfDefinitions), given);
    await registry.#give(given);
    // With the schemas that hold by now.
    registry.#load(stored.objects.filter((change) => !isOfDefinitions(change)));
    const missing = ownNamespaces.filter(
      (name) => registry.newest(namespaceResource.id, { namespace: "", name }) === undefined,
    );
    for (const name of missing) {
      const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
      await registry.create(namespaceResource.id, "", namespace, { fieldManager: apiServerManager });
    }
    if (missing.length > 0) registry.#state.history.forget();
    return registry;
  }

  // Resources

  /** Everything that is served. */
  definitions(): readonly Resource[] {
    return this.#catalog.definitions();
  }

  resourceById(id: string): Resource | undefined {
    return this.#catalog.byId(id);
  }

  resourceByKind(group: string, kind: string): Resource | undefined {
    return this.definitions().find((resource) => resource.kind === kind && resource.group === group);
  }

  /** The resource with all the parts given, for instance `{ kind: "Event" }` or `{ group, version, plural }`. */
  resourceFor(
    wanted: Partial<Pick<Resource, "group" | "version" | "kind" | "plural">>,
  ): Resource | undefined {
    const { group, version, plural } = wanted;
    if (group !== undefined && version !== undefined && plural !== undefined) {
      return this.#catalog.byPath(group, version, plural);
    }
    const parts = Object.entries(wanted) as [keyof Resource, string][];
    return this.definitions().find((resource) => parts.every(([part, value]) => resource[part] === value));
  }

  /** How many synced objects there are of each resource. */
  counts(): readonly (readonly [Resource, number])[] {
    return this.definitions().map((resource) => [resource, this.#state.synced.count(resource.id)]);
  }

  /** The time that it goes by. */
  get clock(): Clock {
    return this.#options.clock;
  }

  get random(): Random {
    return this.#options.random;
  }

  /** Why nothing is accepted any more; undefined while all is well. */
  get failure(): StatusError | undefined {
    return this.#state.failure;
  }

  // Reads: synced state alone

  /** The newest synced revision. */
  get revision(): string {
    return String(this.#state.revision);
  }

  /** @throws StatusError NotFound */
  async get(resource: string, key: ObjectKey, subresource?: Subresource): Promise<KubeObject> {
    const of = this.#use(resource, subresource, key);
    const object = this.#state.synced.get(of.store, address(of, key));
    if (object === undefined) throw notFound(of, key.name);
    const shown = of.view === undefined ? object : of.view.read(object);
    return subresource === "scale" ? scaleOf(of, shown) : shown;
  }

  /** @throws StatusError as `list.ts` says */
  async list(resource: string, options: ListOptions = {}): Promise<ObjectList> {
    return list(this.#state, this.#use(resource), options);
  }

  /**
   * Events in revision order until the signal aborts.
   *
   * @throws StatusError Expired (410) from the iterator when the history from `resourceVersion` is gone
   */
  watch(resource: string, options: WatchFrom): Watch {
    const of = this.#use(resource);
    if (!/^\d+$/.test(options.resourceVersion)) {
      throw badRequest(
        `invalid resource version: resourceVersion: Invalid value: "${options.resourceVersion}"`,
      );
    }
    return this.#state.history.watch({
      resource: of.store,
      view: of.view,
      namespace: of.namespaced ? options.namespace : undefined,
      selects: selectorOf(of, options),
      after: Number(options.resourceVersion),
      signal: options.signal,
    });
  }

  // Writes

  async create(
    resource: string,
    namespace: string,
    object: unknown,
    { name, ...options }: WriteOptions & { readonly name?: string | undefined } = {},
  ): Promise<KubeObject> {
    const of = this.#use(resource);
    return this.#write((context) => create(context, of, namespace, object, name), options);
  }

  /** Replaces spec and metadata, or status or scale alone. */
  async update(
    resource: string,
    key: ObjectKey,
    object: unknown,
    options: WriteOptions = {},
  ): Promise<KubeObject> {
    return (await this.put(resource, key, object, options)).object;
  }

  /** Like `update`, and says whether the object is new: a few kinds are made by it. */
  async put(
    resource: string,
    key: ObjectKey,
    object: unknown,
    { subresource, ...options }: WriteOptions = {},
  ): Promise<Put> {
    const of = this.#use(resource, subresource, key);
    const at = address(of, key);
    return this.#write(
      (context) =>
        subresource === "scale"
          ? { object: updateScale(context, of, at, object), created: false }
          : update(context, of, at, object, subresource),
      options,
    );
  }

  async patch(
    resource: string,
    key: ObjectKey,
    body: Patch,
    { subresource, ...options }: WriteOptions = {},
  ): Promise<KubeObject> {
    const of = this.#use(resource, subresource, key);
    const at = address(of, key);
    return this.#write(
      (context) =>
        subresource === "scale"
          ? patchScale(context, of, at, body)
          : patch(context, of, at, body, subresource),
      options,
    );
  }

  /** Applies all that a writer wants of an object, and says whether the object is new. */
  async apply(
    resource: string,
    key: ObjectKey,
    config: unknown,
    { subresource, force = false, ...options }: WriteOptions = {},
  ): Promise<Put> {
    const of = this.#use(resource, subresource, key);
    const at = address(of, key);
    return this.#write(
      (context) =>
        subresource === "scale"
          ? applyScale(context, of, at, config, force)
          : apply(context, of, at, config, { subresource, force }),
      options,
    );
  }

  async delete(
    resource: string,
    key: ObjectKey,
    { dryRun, ...options }: DeleteOptions & { dryRun?: boolean } = {},
  ): Promise<Deletion> {
    const of = this.#use(resource);
    return this.#write((context) => remove(context, of, address(of, key), options), { dryRun });
  }

  /**
   * Deletes each object of a list and returns the list, with the objects as they were. It ends at the first that may not
   * be deleted; those before it are deleted all the same.
   */
  async deleteCollection(
    resource: string,
    selection: ListOptions,
    { dryRun = false, ...options }: DeleteOptions & { dryRun?: boolean } = {},
  ): Promise<ObjectList> {
    const found = await this.list(resource, selection);
    const of = this.#use(resource);
    const staging = this.#state.stage(dryRun);
    const context = this.#context(staging, {});
    let failure: unknown;
    for (const { metadata } of found.items) {
      try {
        remove(
          context,
          of,
          address(of, { namespace: metadata.namespace ?? "", name: metadata.name }),
          options,
        );
      } catch (error) {
        // Somebody else was faster, which is as good.
        if (isNotFound(error)) continue;
        failure = error;
        break;
      }
    }
    if (!dryRun) await this.#state.commit(staging);
    if (failure !== undefined) throw failure;
    return found;
  }

  // Admission: what people's files need

  resources(): readonly ResourceInfo[] {
    return this.definitions().map((resource) => ({
      resource: resource.id,
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      file: resource.annotations["bosun.dev/file"],
    }));
  }

  newest(resource: string, key: ObjectKey): KubeObject | undefined {
    const of = this.#catalog.byId(resource);
    if (of === undefined) return undefined;
    const stored = this.#state.newest.get(of.store, address(of, key));
    return stored === undefined || of.view === undefined ? stored : of.view.read(stored);
  }

  /** The newest state of all stored objects of a resource, in one namespace or in all. */
  newestIn(resource: string, namespace?: string): readonly KubeObject[] {
    return this.#state.newest.list(resource, namespace);
  }

  meaning(object: KubeObject): KubeObject {
    const of = this.#resourceOf(object);
    const { metadata, body } = decode(of, object);
    const { name, labels, annotations, finalizers, ownerReferences } = metadata;
    const declared = {
      name,
      ...(of.namespaced ? { namespace: metadata.namespace ?? defaultNamespace } : {}),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    };
    return deepFreeze(assemble(of, declared, of.statusSubresource ? withoutStatus(body) : body));
  }

  async transact(edits: readonly Edit[], files: readonly FileText[]): Promise<TransactResult> {
    this.#state.assertAlive();
    const errors: { edit: Edit; error: StatusError }[] = [];
    const staging = this.#state.stage();
    for (const edit of edits) {
      try {
        this.#admit(this.#context(staging, { fieldManager: filesManager }), edit);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        errors.push({ edit, error });
      }
    }
    if (errors.length > 0) return { admitted: false, errors };
    const { revision } = staging;
    await this.#state.commit(staging, files);
    return { admitted: true, revision };
  }

  subscribe(listener: (changes: readonly Change[]) => void): () => void {
    return this.#state.history.listen(listener);
  }

  // Inside

  #admit(context: Context, edit: Edit): void {
    if (edit.verb === "create") {
      const of = this.#resourceOf(edit.object);
      // Files are of one namespace: an object that says another is refused.
      create(context, of, defaultNamespace, edit.object);
      return;
    }
    const of = this.#use(edit.resource);
    const key = address(of, edit.key);
    if (edit.verb === "merge") patch(context, of, key, { type: "merge", body: edit.patch });
    else remove(context, of, key);
  }

  async #write<T>(admit: (context: Context) => T, options: WriteOptions): Promise<T> {
    const staging = this.#state.stage(options.dryRun);
    const answer = admit(this.#context(staging, options));
    if (!options.dryRun) await this.#state.commit(staging);
    return answer;
  }

  #use(resource: string, subresource?: Subresource, key?: ObjectKey): Resource {
    this.#state.assertAlive();
    const found = this.#catalog.byId(resource);
    if (found === undefined || !found.verbs.includes("get"))
      throw new StatusError(404, "NotFound", "the server could not find the requested resource");
    if (!hasSubresource(found, subresource)) throw notFound(found, key?.name ?? "");
    return found;
  }

  #resourceOf(object: KubeObject): Resource {
    const found = this.#catalog.byKind(object.apiVersion, object.kind);
    if (found?.verbs.includes("get")) return found;
    throw badRequest(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
  }

  #context(
    staging: Staging,
    {
      fieldManager,
      dryRun = false,
      fieldValidation = "Ignore",
      strictErrors = [],
      bodyText,
      wholeFloats = new Set(),
      warn = () => {},
    }: WriteOptions,
  ): Context {
    const { clock, ids, random } = this.#options;
    return {
      ...{ staging, clock, ids, random, given: this.#given },
      versionsOf: ({ store }) => this.definitions().filter((resource) => resource.store === store),
      fieldManager: fieldManager || "unknown",
      ...{ dryRun, fieldValidation, strictErrors, bodyText, wholeFloats, warn },
    };
  }

  /**
   * Stored objects, with the defaults that their schema has by now.
   *
   * @param given - definitions that were read already: those that are stored the same are not read again
   */
  #load(stored: readonly Change[], given: readonly GivenDefinition[] = []): void {
    const changes: StagedChange[] = [];
    for (const change of stored) {
      const resource = this.#catalog.byId(change.resource);
      if (resource === undefined || change.object === undefined) continue;
      // What is as it should be is shared with the storage, which is what it was read for.
      const object = asGiven(resource, change.object, given) ?? brought(resource, deepFreeze(change.object));
      this.#state.load(change, object);
      changes.push({ ...change, object, previous: undefined, told: object });
    }
    this.#follow(changes);
    this.#observe(changes);
  }

  /** Makes the definitions that the server was started with what they were given as. */
  async #give(given: readonly GivenDefinition[]): Promise<void> {
    const { clock, ids } = this.#options;
    const staging = this.#state.stage();
    for (const definition of given) {
      const key = { namespace: "", name: definition.name };
      const old = staging.get(definitionResource, key) as CustomResourceDefinition | undefined;
      const server = { uid: old?.metadata.uid ?? ids.uuid(), now: timestamp(clock.now()) };
      const object = established(definition, old, server);
      if (!sameJson(object, old)) staging.put(definitionResource, key, object);
    }
    await this.#state.commit(staging);
  }

  /** Serves what definitions say, as soon as they are admitted: later writes are admitted under them. */
  #follow(changes: readonly StagedChange[]): void {
    for (const { resource, name, object } of changes) {
      if (resource !== definitionResource.id) continue;
      const stored = this.#catalog.follow(name, object as CustomResourceDefinition | undefined);
      if (stored !== undefined) this.#state.rewrite(stored.store, (old) => brought(stored, old));
    }
  }

  #observe(changes: readonly StagedChange[]): void {
    for (const store of redefined(changes)) this.#state.history.endWatches(store);
    this.#keeper.observe(changes);
    this.#collector?.observe(changes);
    this.#emptier?.observe(changes);
  }

  #warnOfForeignOwner(dependent: KubeObject, owner: OwnerReference): void {
    const { clock, defer, ids } = this.#options;
    defer(() => {
      const said = { id: ids.uuid().slice(0, 13), now: timestamp(clock.now()) };
      const event = foreignOwnerEvent(dependent, owner, said);
      const options = { fieldManager: controllersManager };
      this.create("events", event.metadata.namespace ?? "", event, options).catch((error: unknown) => {
        // The namespace is being emptied, or the storage failed and that is known: nobody would read it.
        if (!(error instanceof StatusError)) throw error;
      });
    });
  }
}

/** Where the objects are stored whose definition is another by these changes, or gone. */
function redefined(changes: readonly StagedChange[]): readonly string[] {
  return changes.flatMap(({ resource, object, previous }) => {
    if (resource !== definitionResource.id || previous === undefined) return [];
    const { spec } = previous as CustomResourceDefinition;
    const now = (object as CustomResourceDefinition | undefined)?.spec;
    return sameJson(spec, now) ? [] : [resourceId(spec.group, spec.names.plural)];
  });
}

/** The stored definition with the specification that was given, where both are equal. */
function asGiven(
  resource: Resource,
  object: KubeObject,
  given: readonly GivenDefinition[],
): KubeObject | undefined {
  const spec = given.find(({ name }) => name === object.metadata.name)?.spec;
  if (spec === undefined || !sameJson((object as CustomResourceDefinition).spec, spec)) return undefined;
  return deepFreeze({ ...brought(resource, { ...object, spec: {} }), spec });
}

/** A change of an earlier life, as watchers may still ask for it. */
function restored(change: RecentChange): StagedChange {
  const [object, previous] = deepFreeze([change.object, change.previous] as const);
  // Only what existed can have been deleted.
  const told = object ?? deepFreeze(withRevision(previous as KubeObject, change.revision));
  return { ...change, object, previous, told };
}

/** Where the object is stored: an object of the whole cluster has no namespace. */
function address(resource: Resource, key: ObjectKey): ObjectKey {
  return { namespace: resource.namespaced ? key.namespace : "", name: key.name };
}
