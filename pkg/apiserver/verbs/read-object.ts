import { StatusError } from "../../api/status-error.ts";
import { parseJson } from "../../encoding/json.ts";
import { parseYamlBody } from "../../encoding/yaml-body.ts";
import { summary, unrecognized } from "../../registry/admission/decode.ts";
import { readBody } from "../body.ts";
import { mediaType } from "../negotiation.ts";
import type { Call } from "./call.ts";

/** A request's body, read. */
export interface ReadObject {
  readonly value: unknown;
  /** The body as it came. */
  readonly bodyText: string;
  /** What strict decoding has against it. */
  readonly strictErrors: readonly string[];
  /** Paths of whole numbers that it has as floats. */
  readonly wholeFloats: ReadonlySet<string>;
}

/**
 * The body of a POST or PUT, as its Content-Type says; none is taken for JSON, as kube-apiserver does.
 *
 * @throws StatusError UnsupportedMediaType (415), BadRequest
 */
export async function readObject({ request, target: { resource, subresource } }: Call): Promise<ReadObject> {
  const parse = parserOf(request.headers["content-type"]);
  const text = await readBody(request);
  try {
    return { bodyText: text, ...parse(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const kind = subresource === "scale" ? "Scale" : resource.kind;
    throw unrecognized({ kind }, `${error.message} (${summary(text)})`);
  }
}

type Parsed = Omit<ReadObject, "bodyText">;

/**
 * Reads text of a media type.
 *
 * @throws StatusError UnsupportedMediaType (415); what comes back throws SyntaxError in kube-apiserver's words
 */
export function parserOf(contentType: string | undefined): (text: string) => Parsed {
  switch (mediaType(contentType)) {
    case "":
    case "application/json":
      return parseJsonBody;
    case "application/yaml":
      return parseYaml;
    default:
      throw unsupportedMediaType("application/json, application/yaml, application/vnd.kubernetes.protobuf");
  }
}

export function unsupportedMediaType(accepted: string): StatusError {
  return new StatusError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}

function parseJsonBody(text: string): Parsed {
  try {
    const { value, duplicates, wholeFloats } = parseJson(text);
    return { value, strictErrors: duplicates.map(duplicateField), wholeFloats };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`couldn't get version/kind; json parse error: ${error.message}`);
  }
}

function parseYaml(text: string): Parsed {
  const { value, duplicates } = parseYamlBody(text);
  const strictErrors =
    duplicates.length === 0 ? [] : [`yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`];
  return { value, strictErrors, wholeFloats: new Set() };
}

/** What strict decoding says of a key that comes again. */
export function duplicateField(path: string): string {
  return `duplicate field "${path}"`;
}
