/** Whether a cluster knows Bosun's kinds, as this version has them. */
import { StatusError } from "../../../pkg/api/status-error.ts";
import { type ExchangeDeps, exchange, readJson } from "../../../pkg/cluster/exchange.ts";
import type { ChosenCluster } from "../../../pkg/cluster/kubeconfig.ts";
import { TransientError } from "../../../pkg/runtime/errors.ts";
import { UserError } from "../user-error.ts";
import type { Definition } from "./definitions.ts";
import { type Discovered, missingFields, missingKinds, type Published } from "./kinds-missing.ts";

type Where = Pick<ChosenCluster, "context" | "access">;

/** So many fields are named to a person. */
const namedMax = 3;
/** A server tells of definitions some seconds after they were installed or changed. So long is waited, in milliseconds. */
const lateMs = 10_000;
const lookEveryMs = 1_000;

/**
 * What `list`, a list of one of Bosun's kinds, gives.
 *
 * @throws UserError when the cluster serves no such kind: a kube-apiserver then answers with a page, not with a Status
 */
export async function ofKnownKind<T>(list: Promise<T>, where: Where): Promise<T> {
  try {
    return await list;
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
    throw new UserError(
      `${nameOf(where)} does not know Bosun's kinds. Install them: bosun install, or kubectl apply -k manifests`,
      { cause: error },
    );
  }
}

/**
 * Makes sure that the cluster serves every kind of `definitions` with every field. A server drops what it does not
 * know, so that a claim or a session would be forgotten as soon as it is written. What the server does not tell, as an
 * older one or one that forbids to ask, is not held against it. What is missing may come in ten seconds: a
 * kube-apiserver publishes definitions a while after it has taken them.
 *
 * @throws UserError that names what is missing
 * @throws the signal's reason when aborted
 */
export async function requireKinds(
  definitions: readonly Definition[],
  deps: ExchangeDeps,
  where: Where,
  signal?: AbortSignal,
): Promise<void> {
  const { clock } = deps;
  const untilMs = clock.elapsed() + lateMs;
  for (;;) {
    const missing = await whatIsMissing(definitions, deps, where);
    if (missing === undefined) return;
    if (clock.elapsed() >= untilMs) throw missing;
    await clock.sleep(lookEveryMs, signal);
  }
}

async function whatIsMissing(
  definitions: readonly Definition[],
  deps: ExchangeDeps,
  where: Where,
): Promise<UserError | undefined> {
  const [first] = definitions;
  if (first === undefined) return;
  const group = `/apis/${first.spec.group}/${first.spec.versions[0]?.name}`;
  const advice = "Run `bosun install` with this one.";
  const [discovered, published] = await Promise.all([
    told<Discovered>(deps, group, "resources"),
    told<Published>(deps, `/openapi/v3${group}`, "components"),
  ]);
  const kinds = discovered === undefined ? [] : missingKinds(definitions, discovered);
  if (kinds.length > 0)
    return new UserError(
      `${nameOf(where)} does not serve ${kinds.join(", ")}: its kinds are of another version of Bosun, or are being removed. ${advice}`,
    );
  const fields = published === undefined ? [] : missingFields(definitions, published);
  if (fields.length === 0) return;
  const others = fields.length > namedMax ? ` and ${fields.length - namedMax} more` : "";
  return new UserError(
    `${nameOf(where)} would drop ${fields.slice(0, namedMax).join(", ")}${others}: its kinds are of an older version of Bosun. ${advice}`,
  );
}

/** Undefined when the server does not say, whatever it says instead: who can't be reached is told by who needs it next. */
async function told<T extends object>(
  deps: ExchangeDeps,
  path: string,
  has: keyof T & string,
): Promise<T | undefined> {
  const call = { method: "GET", path } as const;
  try {
    const answer = await readJson(await exchange(deps, call), call, deps.access);
    return typeof answer === "object" && answer !== null && has in answer ? (answer as T) : undefined;
  } catch (error) {
    if (error instanceof StatusError || error instanceof TransientError) return undefined;
    throw error;
  }
}

function nameOf({ context, access }: Where): string {
  return `The cluster of context ${context} (${access.server})`;
}
