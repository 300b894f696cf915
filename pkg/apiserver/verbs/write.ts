import { parseJson } from "../../encoding/json.ts";
import { type ParsedYamlBody, parseYamlBody } from "../../encoding/yaml-body.ts";
import { type Patch, unknownOperationFields } from "../../registry/admission/patch.ts";
import { badRequest } from "../../registry/status-errors.ts";
import { readBody } from "../body.ts";
import { answerObject } from "../forms/answer.ts";
import { isApply, patchType } from "../negotiation.ts";
import { sendJson, sendText } from "../responses.ts";
import { type Call, keyOfTarget } from "./call.ts";
import { duplicateField, readObject, unsupportedMediaType } from "./read-object.ts";
import { answerReview, isReview } from "./review.ts";
import { writeQuery } from "./write-options.ts";

export async function createObject(call: Call): Promise<void> {
  const { registry, response, target } = call;
  const { resource, namespace, name } = target;
  // A namespaced object is created in its namespace's collection, not in the one over all.
  if (resource.namespaced && namespace === undefined) return sendText(response, 404, "404 page not found\n");
  const query = writeQuery(call, "CreateOptions");
  const { value, ...body } = await readObject(call);
  if (isReview(resource)) {
    const answer = answerReview(resource, value, { user: call.user, namespace, ...query, ...body });
    return sendJson(response, 201, answer);
  }
  const created = await registry.create(resource.id, namespace ?? "", value, { name, ...query, ...body });
  answerObject(call, 201, created);
}

export async function updateObject(call: Call): Promise<void> {
  const { registry, target } = call;
  const query = writeQuery(call, "UpdateOptions");
  const { value, ...body } = await readObject(call);
  const { subresource, resource } = target;
  const { object, created } = await registry.put(resource.id, keyOfTarget(call), value, {
    subresource,
    ...query,
    ...body,
  });
  answerObject(call, created ? 201 : 200, object);
}

export async function patchObject(call: Call): Promise<void> {
  const { registry, request, target } = call;
  if (isApply(request.headers["content-type"])) return applyObject(call);
  const type = patchType(request.headers["content-type"]);
  // Only kinds of Kubernetes' own say how their lists merge.
  const { builtin } = target.resource;
  if (type === undefined || (type === "strategic" && builtin === undefined)) {
    const strategic = builtin === undefined ? "" : "application/strategic-merge-patch+json, ";
    throw unsupportedMediaType(
      `application/json-patch+json, application/merge-patch+json, ${strategic}application/apply-patch+yaml`,
    );
  }
  const query = writeQuery(call, "PatchOptions");
  const { body, ...found } = readPatch(type, await readBody(request));
  const { subresource, resource } = target;
  const options = { subresource, ...query, ...found };
  const patched = await registry.patch(resource.id, keyOfTarget(call), { type, body }, options);
  answerObject(call, 200, patched);
}

async function applyObject(call: Call): Promise<void> {
  const { registry, request, target } = call;
  const query = writeQuery(call, "PatchOptions", true);
  const { value, duplicates } = readConfig(await readBody(request));
  if (duplicates.length > 0 && query.fieldValidation === "Strict") {
    const found = ["error converting YAML to JSON: yaml: unmarshal errors:", ...duplicates].join("\n  ");
    throw badRequest(`error strict decoding patch: ${found}`);
  }
  const { subresource, resource } = target;
  const options = { subresource, ...query };
  const { object, created } = await registry.apply(resource.id, keyOfTarget(call), value, options);
  if (query.fieldValidation === "Warn") for (const text of duplicates) query.warn(text);
  answerObject(call, created ? 201 : 200, object);
}

function readConfig(text: string): ParsedYamlBody {
  try {
    return parseYamlBody(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
  }
}

function readPatch(
  type: Patch["type"],
  text: string,
): { body: unknown; strictErrors: readonly string[]; wholeFloats: ReadonlySet<string> } {
  try {
    const { value, duplicates, wholeFloats } = parseJson(text);
    const found = duplicates.map(duplicateField);
    if (type !== "json") return { body: value, strictErrors: found, wholeFloats };
    const strictErrors = [...found, ...unknownOperationFields(value)].map((error) => `json patch ${error}`);
    return { body: value, strictErrors, wholeFloats: new Set() };
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw badRequest(type === "strategic" ? error.message : `error decoding patch: ${error.message}`);
    }
    throw error;
  }
}
