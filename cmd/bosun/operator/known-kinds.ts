/** Whether a cluster knows Bosun's kinds, as this version has them. */
import { collectionPath } from "../../../pkg/api/paths.ts";
import { StatusError } from "../../../pkg/api/status-error.ts";
import { type Call, type ExchangeDeps, exchange, readJson } from "../../../pkg/cluster/exchange.ts";
import { TransientError } from "../../../pkg/runtime/errors.ts";
import { UserError } from "../user-error.ts";
import type { Definition } from "./definitions.ts";
import { type Discovered, missingFields, missingKinds, type Published } from "./kinds-missing.ts";

export interface RequireKindsOptions {
  definitions: readonly Definition[];
  deps: ExchangeDeps;
  /** Of the kubeconfig, for people. */
  context: string;
  /** In which there are rights to list. */
  namespace: string;
  /** Told when something is missing that is waited for. */
  note(line: string): void;
  signal?: AbortSignal;
}

/** So many fields are named to a person. */
const namedMax = 3;
/** A server tells of definitions some seconds after they were installed or changed. So long is waited, in milliseconds. */
const lateMs = 10_000;
const lookEveryMs = 1_000;
const advice = "Run `bosun install` with this one.";
const noSuchPath = Symbol("no such path");

/**
 * Makes sure that the cluster serves every kind of `definitions` with every field. A server drops what it does not
 * know, so that a claim or a session would be forgotten as soon as it is written. What the server does not tell, as an
 * older one or one that forbids to ask, is not held against it. What is missing may come in ten seconds: a
 * kube-apiserver publishes definitions a while after it has taken them.
 *
 * @throws UserError that names what is missing
 * @throws the signal's reason when aborted
 */
export async function requireKinds(options: RequireKindsOptions): Promise<void> {
  const { deps, context, note, signal } = options;
  const { clock, access } = deps;
  const untilMs = clock.elapsed() + lateMs;
  for (let isTold = false; ; isTold = true) {
    const missing = await whatIsMissing(options);
    if (missing === undefined) return;
    const text = `The cluster of context ${context} (${access.server}) ${missing}`;
    if (clock.elapsed() >= untilMs) throw new UserError(text);
    if (!isTold) note(`${text} Waiting ${lateMs / 1000} seconds, in case that they were just installed.`);
    await clock.sleep(lookEveryMs, signal);
  }
}

/** In words that follow the cluster's name. */
async function whatIsMissing(options: RequireKindsOptions): Promise<string | undefined> {
  const { definitions, namespace } = options;
  const [first] = definitions;
  if (first === undefined) return undefined;
  const { group, names, versions } = first.spec;
  const version = versions[0]?.name ?? "";
  const served = { group, version, plural: names.plural };
  const path = `/apis/${group}/${version}`;
  const [objects, discovered, published] = await Promise.all([
    answer(options, collectionPath(served, namespace, { limit: "1" })),
    answer(options, path),
    answer(options, `/openapi/v3${path}`),
  ]);
  // Some servers, and what stands before them, say nothing of their kinds to everybody. Objects are seen by who works.
  if (objects === noSuchPath && discovered === noSuchPath)
    return "does not know Bosun's kinds. Install them: `bosun install`, or kubectl apply -k manifests.";
  const kinds = hasMember<Discovered>(discovered, "resources") ? missingKinds(definitions, discovered) : [];
  if (kinds.length > 0)
    return `does not serve ${kinds.join(", ")}: its kinds are of another version of Bosun, or are being removed. ${advice}`;
  const fields = hasMember<Published>(published, "components") ? missingFields(definitions, published) : [];
  if (fields.length === 0) return undefined;
  const others = fields.length > namedMax ? ` and ${fields.length - namedMax} more` : "";
  return `would drop ${fields.slice(0, namedMax).join(", ")}${others}: its kinds are of an older version of Bosun. ${advice}`;
}

/** Undefined when the server does not say, whatever it says instead: who can't be reached is told by who needs it next. */
async function answer({ deps, signal }: RequireKindsOptions, path: string): Promise<unknown> {
  const call: Call = { method: "GET", path, silentMs: lateMs, ...(signal === undefined ? {} : { signal }) };
  try {
    return await readJson(await exchange(deps, call), call, deps.access);
  } catch (error) {
    // A kind that is not served is answered with a page, what is not there with a Status.
    if (error instanceof StatusError && error.code === 404 && error.reason !== "NotFound") return noSuchPath;
    if (error instanceof StatusError || error instanceof TransientError) return undefined;
    throw error;
  }
}

function hasMember<T extends object>(value: unknown, name: keyof T & string): value is T {
  return typeof value === "object" && value !== null && name in value;
}
