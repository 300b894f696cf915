import type { Patch } from "../registry/admission/patch.ts";

/** Whether a client takes plain JSON. Tables and other transformations are not offered, but mostly come as a wish. */
export function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === "") return true;
  return accept.split(",").some((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const transformed = parameters.some((parameter) => parameter.startsWith("as="));
    return !transformed && (type === "application/json" || type === "application/*" || type === "*/*");
  });
}

/** Whether a body of this type can be read as JSON. No type at all is taken for JSON, as kube-apiserver does. */
export function isJson(contentType: string | undefined): boolean {
  const type = mediaType(contentType);
  return type === "" || type === "application/json";
}

/** Which kind of patch a body of this type is; undefined when none that is supported. */
export function patchType(contentType: string | undefined): Patch["type"] | undefined {
  switch (mediaType(contentType)) {
    case "application/merge-patch+json":
      return "merge";
    case "application/json-patch+json":
      return "json";
    default:
      return undefined;
  }
}

function mediaType(contentType: string | undefined): string {
  return (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
