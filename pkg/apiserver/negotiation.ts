import type { IncomingMessage } from "node:http";
import { StatusError } from "../api/status-error.ts";
import type { Patch } from "../registry/admission/patch.ts";

/** How an answer is to be written. */
export interface Format {
  readonly type: "json" | "yaml";
  /** The kind that was asked for instead of the object's own: a Table, or metadata alone. */
  readonly as: Transformation | undefined;
  /** Indented for people. */
  readonly pretty: boolean;
}

export interface Transformation {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What is meant when nothing is said. */
export const plainJson: Format = { type: "json", as: undefined, pretty: false };

/** Whether objects and lists are offered in this form. */
export function isObjectForm({ group, version, kind }: Transformation): boolean {
  if (group !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return false;
  return kind === "Table" || kind === "PartialObjectMetadata" || kind === "PartialObjectMetadataList";
}

/**
 * The best of what a client accepts, by quality, then by how exactly it is named, then in its order. Protobuf is passed
 * over: clients that would rather have it name JSON beside it.
 *
 * @param allows - which transformations are offered
 * @throws StatusError NotAcceptable (406)
 */
export function negotiate(
  { headers, url = "" }: Pick<IncomingMessage, "headers" | "url">,
  allows: (as: Transformation) => boolean = () => false,
): Format {
  const pretty = wantsPretty(headers["user-agent"] ?? "", url);
  const accept = headers.accept ?? "";
  if (accept.trim() === "") return { ...plainJson, pretty };
  for (const { type: named, parameters } of clausesOf(accept)) {
    const type = typeOf(named);
    if (type === undefined || !isStream(parameters.get("stream"))) continue;
    const as = transformationOf(parameters);
    if (as !== undefined && !allows(as)) continue;
    return { type, as, pretty: pretty || parameters.get("pretty") === "1" };
  }
  throw notAcceptable(
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  );
}

export function notAcceptable(message: string): StatusError {
  return new StatusError(406, "NotAcceptable", message);
}

/** Which kind of patch a body of this type is; undefined when none that is supported. */
export function patchType(contentType: string | undefined): Patch["type"] | undefined {
  switch (mediaType(contentType)) {
    case "application/merge-patch+json":
      return "merge";
    case "application/json-patch+json":
      return "json";
    case "application/strategic-merge-patch+json":
      return "strategic";
    default:
      return undefined;
  }
}

/** Whether a body of this type is all that a writer wants of an object, for server-side apply. */
export function isApply(contentType: string | undefined): boolean {
  return mediaType(contentType) === "application/apply-patch+yaml";
}

/** A Content-Type without its parameters. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** The parts of an Accept header, the most wanted first. */
function clausesOf(accept: string): Clause[] {
  return accept
    .split(",")
    .map(clause)
    .sort((a, b) => b.quality - a.quality || wildness(a.type) - wildness(b.type));
}

function clause(part: string): Clause {
  const [type = "", ...rest] = part.split(";").map((piece) => piece.trim());
  const parameters = new Map<string, string>();
  for (const piece of rest) {
    const [name = "", value = ""] = piece.split("=", 2);
    parameters.set(name.trim().toLowerCase(), value.trim().replace(/^"|"$/g, ""));
  }
  const quality = Number(parameters.get("q") ?? 1);
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality };
}

function wildness(type: string): number {
  return type.startsWith("*") ? 2 : type.endsWith("/*") ? 1 : 0;
}

function typeOf(accepted: string): Format["type"] | undefined {
  switch (accepted) {
    case "application/json":
    case "application/*":
    case "*/*":
      return "json";
    case "application/yaml":
      return "yaml";
    default:
      return undefined;
  }
}

function isStream(stream: string | undefined): boolean {
  return !stream || stream === "watch";
}

function transformationOf(parameters: ReadonlyMap<string, string>): Transformation | undefined {
  const [group, version, kind] = [parameters.get("g"), parameters.get("v"), parameters.get("as")];
  if (group === undefined && version === undefined && kind === undefined) return undefined;
  return { group: group ?? "", version: version ?? "", kind: kind ?? "" };
}

/** By the query, else because a person is likely to read it. */
function wantsPretty(userAgent: string, url: string): boolean {
  const asked = new URLSearchParams(url.split("?", 2)[1] ?? "").get("pretty");
  if (asked) return ["1", "t", "T", "TRUE", "true", "True"].includes(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}
