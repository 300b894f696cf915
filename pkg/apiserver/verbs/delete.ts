import { isObject } from "../../registry/json.ts";
import { badRequest } from "../../registry/status-errors.ts";
import type { DeleteOptions } from "../../runtime/client.ts";
import { readBody } from "../body.ts";
import { answerObject } from "../forms/answer.ts";
import { sendJson } from "../responses.ts";
import { type Call, isDryRun, keyOfTarget } from "./call.ts";

/** Answers Success when the object is gone, and the object itself when finalizers keep it. */
export async function deleteObject(call: Call): Promise<void> {
  const { registry, response, target, query } = call;
  const options = await readOptions(call);
  const dryRun = isDryRun([...query.getAll("dryRun"), ...(options.dryRun ?? [])], "DeleteOptions");
  const policy = query.get("propagationPolicy") ?? options.propagationPolicy;
  const { gone, object } = await registry.delete(target.resource.id, keyOfTarget(call), {
    dryRun,
    ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
    ...(policy ? { propagationPolicy: policy as NonNullable<DeleteOptions["propagationPolicy"]> } : {}),
  });
  if (!gone) return answerObject(call, 200, object);
  const { group, plural } = target.resource;
  sendJson(
    response,
    200,
    {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: {
        name: object.metadata.name,
        ...(group === "" ? {} : { group }),
        kind: plural,
        uid: object.metadata.uid,
      },
    },
    { ...call.format, as: undefined },
  );
}

interface DeleteBody extends DeleteOptions {
  readonly dryRun?: readonly string[];
}

/** DeleteOptions come in the body; most clients send none. */
async function readOptions({ request }: Call): Promise<DeleteBody> {
  const text = await readBody(request);
  if (text === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
  // kubectl's dynamic client leaves the kind out.
  if (!isObject(body) || (body.kind !== undefined && body.kind !== "DeleteOptions")) {
    throw badRequest("the body of a DELETE must be DeleteOptions");
  }
  return body as unknown as DeleteBody;
}
