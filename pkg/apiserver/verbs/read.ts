import { StatusError } from "../../api/status-error.ts";
import { unsignedFault } from "../../encoding/go-integers.ts";
import { tooLargeRevision } from "../../registry/status-errors.ts";
import { answerList, answerObject } from "../forms/answer.ts";
import { type Call, keyOfTarget } from "./call.ts";
import { listQuery } from "./list-query.ts";

/** The newest state, which fulfils every resourceVersion but one that was never given. */
export async function getObject(call: Call): Promise<void> {
  const { registry, target, query } = call;
  const requested = checkedRevision(query.get("resourceVersion"));
  if (requested !== undefined && BigInt(requested) > BigInt(registry.revision)) {
    throw tooLargeRevision(requested, Number(registry.revision));
  }
  answerObject(call, 200, await registry.get(target.resource.id, keyOfTarget(call), target.subresource));
}

export async function listObjects(call: Call): Promise<void> {
  answerList(call, await call.registry.list(call.target.resource.id, listQuery(call)));
}

/** Undefined: any. Throws in the words of kube-apiserver's storage, which has no reason for it. */
export function checkedRevision(revision: string | null | undefined): string | undefined {
  if (!revision || revision === "0") return undefined;
  const why = unsignedFault(revision);
  if (why === undefined) return revision;
  throw new StatusError(500, "", `resourceVersion: Invalid value: ${JSON.stringify(revision)}: ${why}`);
}
