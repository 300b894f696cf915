import { StatusError } from "../../api/status-error.ts";
import { parseJson, writeJson } from "../../encoding/json.ts";
import { parseYamlBody } from "../../encoding/yaml-body.ts";
import { notHandled, summary, unrecognized } from "../../registry/admission/decode.ts";
import { scale } from "../../registry/typed/kinds/autoscaling.ts";
import { type Envelope, openEnvelope, readProtobuf } from "../../registry/typed/protobuf.ts";
import type { StructType } from "../../registry/typed/types.ts";
import { readBytes } from "../body.ts";
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
  const type = subresource === "scale" ? scale : resource.builtin?.type;
  const parse = parserOf(request.headers["content-type"], type);
  const body = await readBytes(request);
  try {
    return parse(body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const kind = subresource === "scale" ? "Scale" : resource.kind;
    if (error instanceof MessageError) throw notHandled({ kind }, error.envelope, error.message);
    throw unrecognized({ kind }, `${error.message} (${summary(body)})`);
  }
}

/**
 * Reads a body of a media type.
 *
 * @param type - the fields of what is expected, where it may come as protobuf
 * @throws StatusError UnsupportedMediaType (415); what comes back throws SyntaxError in kube-apiserver's words
 */
export function parserOf(
  contentType: string | undefined,
  type: StructType | undefined,
): (body: Buffer) => ReadObject {
  const media = mediaType(contentType);
  if (media === "" || media === "application/json") return parseJsonBody;
  if (media === "application/yaml") return parseYaml;
  if (media === protobuf && type !== undefined) return (body) => parseProtobuf(body, type);
  throw unsupportedMediaType(`application/json, application/yaml, ${protobuf}`);
}

const protobuf = "application/vnd.kubernetes.protobuf";

export function unsupportedMediaType(accepted: string): StatusError {
  return new StatusError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}

function parseJsonBody(body: Buffer): ReadObject {
  const bodyText = body.toString("utf8");
  try {
    const { value, duplicates, wholeFloats } = parseJson(bodyText);
    return { value, bodyText, strictErrors: duplicates.map(duplicateField), wholeFloats };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`couldn't get version/kind; json parse error: ${error.message}`);
  }
}

function parseYaml(body: Buffer): ReadObject {
  const bodyText = body.toString("utf8");
  const { value, duplicates } = parseYamlBody(bodyText);
  const strictErrors =
    duplicates.length === 0 ? [] : [`yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`];
  return { value, bodyText, strictErrors, wholeFloats: new Set() };
}

/** The envelope says what it is; its message is not that. */
class MessageError extends SyntaxError {
  readonly envelope: Envelope;

  constructor(envelope: Envelope, message: string) {
    super(message);
    this.envelope = envelope;
  }
}

function parseProtobuf(body: Buffer, type: StructType): ReadObject {
  const envelope = openEnvelope(body);
  const { apiVersion, kind, message } = envelope;
  try {
    const value = { apiVersion, kind, ...readProtobuf(type, message) };
    return { value, bodyText: writeJson(value), strictErrors: [], wholeFloats: new Set() };
  } catch (error) {
    if (error instanceof SyntaxError) throw new MessageError(envelope, error.message);
    throw error;
  }
}

/** What strict decoding says of a key that comes again. */
export function duplicateField(path: string): string {
  return `duplicate field "${path}"`;
}
