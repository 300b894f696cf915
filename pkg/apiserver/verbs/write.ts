import { StatusError } from "../../api/status-error.ts";
import { badRequest } from "../../registry/status-errors.ts";
import { readBody } from "../body.ts";
import { answerObject } from "../forms/answer.ts";
import { isJson, patchType } from "../negotiation.ts";
import { sendJson, sendText } from "../responses.ts";
import { type Call, isDryRun, keyOfTarget } from "./call.ts";
import { unknownFieldsPolicy } from "./field-validation.ts";
import { answerReview, isReview } from "./review.ts";

export async function createObject(call: Call): Promise<void> {
  const { registry, response, target, query } = call;
  const { resource, namespace } = target;
  // A namespaced object is created in its namespace's collection, not in the one over all.
  if (resource.namespaced && namespace === undefined) return sendText(response, 404, "404 page not found\n");
  const dryRun = isDryRun(query.getAll("dryRun"), "CreateOptions");
  const onUnknownFields = unknownFieldsPolicy(call, "CreateOptions");
  const object = await readObject(call);
  if (isReview(resource)) {
    const answer = answerReview(resource, object, { user: call.user, namespace, onUnknownFields });
    return sendJson(response, 201, answer);
  }
  const created = await registry.create(resource.id, namespace ?? "", object, { dryRun, onUnknownFields });
  answerObject(call, 201, created);
}

export async function updateObject(call: Call): Promise<void> {
  const { registry, target, query } = call;
  const dryRun = isDryRun(query.getAll("dryRun"), "UpdateOptions");
  const onUnknownFields = unknownFieldsPolicy(call, "UpdateOptions");
  const object = await readObject(call);
  const { subresource, resource } = target;
  const options = { dryRun, subresource, onUnknownFields };
  const updated = await registry.update(resource.id, keyOfTarget(call), object, options);
  answerObject(call, 200, updated);
}

export async function patchObject(call: Call): Promise<void> {
  const { registry, request, target, query } = call;
  const type = patchType(request.headers["content-type"]);
  if (type === undefined) throw unsupported("application/json-patch+json, application/merge-patch+json");
  const dryRun = isDryRun(query.getAll("dryRun"), "PatchOptions");
  const onUnknownFields = unknownFieldsPolicy(call, "PatchOptions");
  const text = await readBody(request);
  const body = parse(text, (why) => `error decoding patch: ${why}`);
  const { subresource, resource } = target;
  const options = { dryRun, subresource, onUnknownFields };
  const patched = await registry.patch(resource.id, keyOfTarget(call), { type, body }, options);
  answerObject(call, 200, patched);
}

async function readObject({ request, target: { resource, subresource } }: Call): Promise<unknown> {
  if (!isJson(request.headers["content-type"])) throw unsupported("application/json");
  const text = await readBody(request);
  const kind = subresource === "scale" ? "Scale" : resource.kind;
  const shown = text === "" ? "<empty>" : text.length > 32 ? `${text.slice(0, 30)} ...` : text;
  return parse(
    text,
    (why) =>
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${why} (${shown})`,
  );
}

function parse(text: string, message: (why: string) => string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(message((error as Error).message));
  }
}

function unsupported(accepted: string): StatusError {
  return new StatusError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}
