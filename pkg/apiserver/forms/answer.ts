import type { KubeObject } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import { writeJson } from "../../encoding/json.ts";
import type { ObjectList } from "../../registry/list.ts";
import { apiVersionOf } from "../../registry/resource.ts";
import { notAcceptable } from "../negotiation.ts";
import { sendJsonText } from "../responses.ts";
import type { Call } from "../verbs/call.ts";
import { itemText, metadataText, objectText } from "./object-text.ts";
import { includedIn, type TableRequest, tableText } from "./table.ts";
import { layoutOf, scaleLayoutOf } from "./table-layout.ts";

/** Answers with an object in the form that was asked for: itself, a Table of one row, or its metadata alone. */
export function answerObject(call: Call, code: number, object: KubeObject): void {
  sendJsonText(call.response, code, formText(call, object), call.format);
}

/** Answers with a list in the form that was asked for. */
export function answerList(call: Call, list: ObjectList): void {
  sendJsonText(call.response, 200, listText(call, list), call.format);
}

/** The object of a watch event as text. Only the first Table of a watch says what its columns are. */
export function eventObjectText(call: Call): (object: KubeObject) => string {
  const { as } = call.format;
  if (as?.kind === "PartialObjectMetadata") return (object) => metadataText(object, as.version);
  // No event is a list: whoever asks for one is told of the objects.
  if (as?.kind !== "Table") return objectText;
  const request = tableRequest(call, as.version);
  let columns = true;
  return (object) => {
    // The mark that all initial events were told is told whatever else is left out.
    const isMark = object.metadata.annotations?.["k8s.io/initial-events-end"] !== undefined;
    const include = isMark && request.include === "None" ? "Metadata" : request.include;
    const options = { now: call.clock.now(), columns };
    columns = false;
    return tableText({ ...request, include }, tableMeta(object), [object], options);
  };
}

function formText(call: Call, object: KubeObject): string {
  const { as } = call.format;
  switch (as?.kind) {
    case undefined:
      return objectText(object);
    case "Table": {
      const request = tableRequest(call, as.version);
      return tableText(request, tableMeta(object), [object], { now: call.clock.now() });
    }
    case "PartialObjectMetadata":
      return metadataText(object, as.version);
    default:
      // In kube-apiserver's words, which has no reason for it.
      throw new StatusError(500, "", "content is not a list");
  }
}

function listText(call: Call, { metadata, items }: ObjectList): string {
  const { as } = call.format;
  const { resource } = call.target;
  switch (as?.kind) {
    case undefined: {
      const texts = items.map(resource.builtin ? itemText : objectText);
      const head = `"apiVersion":"${apiVersionOf(resource)}","kind":"${resource.listKind}"`;
      // Lists of custom resources say it even where there is nothing to continue with.
      const meta = resource.builtin ? metadata : { continue: "", ...metadata };
      return `{${head},"metadata":${writeJson(meta)},"items":[${texts.join(",")}]}`;
    }
    case "Table":
      return tableText(tableRequest(call, as.version), metadata, items, { now: call.clock.now() });
    case "PartialObjectMetadataList": {
      const texts = items.map((item) => metadataText(item, as.version));
      const head = `"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${as.version}"`;
      return `{${head},"metadata":${writeJson(metadata)},"items":[${texts.join(",")}]}`;
    }
    default:
      throw notAcceptable(
        "you requested PartialObjectMetadata, but the requested object is a list (*unstructured.UnstructuredList)",
      );
  }
}

function tableRequest({ target: { resource, subresource }, query }: Call, version: string): TableRequest {
  const layout = subresource === "scale" ? scaleLayoutOf(resource) : layoutOf(resource);
  return { layout, version, include: includedIn(query) };
}

function tableMeta({ metadata: { resourceVersion = "" } }: KubeObject): { resourceVersion: string } {
  return { resourceVersion };
}
