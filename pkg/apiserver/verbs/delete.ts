import { typeFault } from "../../registry/admission/decode.ts";
import type { DeleteOptions } from "../../registry/admission/delete.ts";
import type { FieldError } from "../../registry/field-error.ts";
import { copyJson, isObject } from "../../registry/json.ts";
import { badRequest, invalidObject } from "../../registry/status-errors.ts";
import { deleteOptions } from "../../registry/typed/kinds/meta.ts";
import { readTyped } from "../../registry/typed/read.ts";
import { readBytes } from "../body.ts";
import { answerList, answerObject } from "../forms/answer.ts";
import { sendJson, sendText } from "../responses.ts";
import { type Call, keyOfTarget } from "./call.ts";
import { isSet, listQuery } from "./list-query.ts";
import { parserOf } from "./read-object.ts";
import { dryRunErrors } from "./write-options.ts";

/** Answers Success when the object is gone, and the object itself when finalizers keep it. */
export async function deleteObject(call: Call): Promise<void> {
  const { registry, response, target } = call;
  const options = await readOptions(call);
  const { gone, object } = await registry.delete(target.resource.id, keyOfTarget(call), options);
  // As kube-apiserver has it: only who asks in the old way hears that it is not over.
  const code = !gone && options.orphanDependents === false ? 202 : 200;
  if (!gone) return answerObject(call, code, object);
  const { group, plural } = target.resource;
  sendJson(
    response,
    code,
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

/** Answers with the objects as they were, whether they are gone or wait for their finalizers. */
export async function deleteCollection(call: Call): Promise<void> {
  const { registry, response, target } = call;
  const { resource, namespace } = target;
  if (resource.namespaced && namespace === undefined) return sendText(response, 404, "404 page not found\n");
  const selection = listQuery(call);
  const options = await readOptions(call);
  answerList(call, await registry.deleteCollection(resource.id, selection, options));
}

type Options = DeleteOptions & { readonly dryRun: boolean };

/** DeleteOptions come in the body or, without one, in the query. */
async function readOptions({ request, query }: Call): Promise<Options> {
  const body = await readBytes(request);
  const given = body.length === 0 ? queryOptions(query) : bodyOptions(body, request.headers["content-type"]);
  const { dryRun = [], orphanDependents, propagationPolicy, preconditions } = given;
  const errors: FieldError[] = [...dryRunErrors(dryRun)];
  if (errors.length > 0) {
    throw invalidObject({ group: "meta.k8s.io", plural: "", kind: "DeleteOptions" }, "", errors);
  }
  return {
    dryRun: dryRun.length > 0,
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
}

interface Given extends DeleteOptions {
  readonly dryRun?: readonly string[];
}

function queryOptions(query: URLSearchParams): Given {
  const seconds = query.get("gracePeriodSeconds");
  if (seconds && !/^[+-]?\d+$/.test(seconds)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(seconds)}: invalid syntax`);
  }
  const [orphan, policy] = [query.get("orphanDependents"), query.get("propagationPolicy")];
  return {
    dryRun: query.getAll("dryRun"),
    ...(orphan === null ? {} : { orphanDependents: isSet(orphan) }),
    ...(policy === null ? {} : { propagationPolicy: policy as NonNullable<Given["propagationPolicy"]> }),
  };
}

function bodyOptions(bytes: Buffer, contentType: string | undefined): Given {
  try {
    const value = copyJson(parserOf(contentType, deleteOptions)(bytes).value);
    const fault = typeFault(value);
    if (fault !== undefined) throw badRequest(fault);
    const { apiVersion, kind, ...options } = isObject(value) ? value : {};
    // Clients send the version of what they delete, or none.
    if (kind && kind !== "DeleteOptions") {
      const scheme = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go";
      const version = JSON.stringify(apiVersion || "meta.k8s.io/v1");
      throw badRequest(
        `no kind ${JSON.stringify(kind)} is registered for version ${version} in scheme "${scheme}"`,
      );
    }
    return readTyped(deleteOptions, options) as Given;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw badRequest(error.message);
    throw error;
  }
}
